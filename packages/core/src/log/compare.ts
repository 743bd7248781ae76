/** Two branches side by side: how far their logs are one and the same, and what each has after that. */
import type { Message } from '@holdfast/protocol'
import type { LogReads } from './log-reads.ts'
import { type MessageReads, readMessages } from './message-page.ts'

export interface Branch {
  sessionId: string
  /** Its own stretch: the events after `after` through `through`. */
  after: number
  through: number
  /** The first visible messages of that stretch. */
  messages: Message[]
}

export interface Comparison {
  /** Both logs are the same through this seq; 0 when they share nothing. */
  commonSeq: number
  ours: Branch
  theirs: Branch
}

interface Stretch {
  sessionId: string
  from: number
  to: number
}

export async function compareSessions(log: MessageReads, ours: string, theirs: string): Promise<Comparison> {
  const [a, b] = [await stretchesOf(log.reads, ours), await stretchesOf(log.reads, theirs)]
  const commonSeq = commonPrefix(a, b)
  return {
    commonSeq,
    ours: await branchOf(log, ours, a, commonSeq),
    theirs: await branchOf(log, theirs, b, commonSeq),
  }
}

/** Where each seq of a session is kept, through its end. */
async function stretchesOf(reads: LogReads, sessionId: string): Promise<Stretch[]> {
  const { state } = await reads.requireHead(sessionId)
  const segments = await reads.store.readSegments(reads.tenantId, sessionId)
  const from = (segments.at(-1)?.to ?? 0) + 1
  return [...segments, { sessionId, from, to: state.head.seq }]
}

function commonPrefix(a: readonly Stretch[], b: readonly Stretch[]): number {
  let common = 0
  for (;;) {
    const [left, right] = [stretchAt(a, common + 1), stretchAt(b, common + 1)]
    if (!left || !right || left.sessionId !== right.sessionId) return common
    common = Math.min(left.to, right.to)
  }
}

function stretchAt(stretches: readonly Stretch[], seq: number): Stretch | undefined {
  return stretches.find(({ from, to }) => from <= seq && seq <= to)
}

async function branchOf(
  log: MessageReads,
  sessionId: string,
  stretches: readonly Stretch[],
  after: number,
): Promise<Branch> {
  const through = stretches.at(-1)?.to ?? 0
  const { messages } = await readMessages(log, sessionId, { after: String(after) })
  return { sessionId, after, through, messages }
}
