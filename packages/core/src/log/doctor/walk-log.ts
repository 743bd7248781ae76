/** All events of a session in order, page by page; what is damaged is told and passed over. */
import { HoldfastError, limits } from '@holdfast/protocol'
import type { FoldEvent } from '../../session/state.ts'
import type { StoredEvent } from '../../store/store.ts'
import { decodeEvent } from '../event-codec.ts'
import type { LogReads } from '../log-reads.ts'
import { unlessCorrupt } from './unless-corrupt.ts'

export interface EventStep {
  seq: number
  event: FoldEvent
  commitId: string
}

/** Events `seq`…`through` cannot be read. */
export interface DamagedStep {
  seq: number
  through: number
  problem: string
}

export type Step = EventStep | DamagedStep

export async function* walkLog(
  reads: LogReads,
  sessionId: string,
  lastSeq: number,
  after = 0,
): AsyncGenerator<Step> {
  let last = after
  while (last < lastSeq) {
    // A store may read without ever letting others come to their turn.
    await new Promise((resolve) => setImmediate(resolve))
    const rows = await page(reads, sessionId, { after: last, through: lastSeq, limit: limits.pageItems })
    if (rows === undefined) {
      yield* oneByOne(reads, sessionId, last, Math.min(last + limits.pageItems, lastSeq))
      last = Math.min(last + limits.pageItems, lastSeq)
      continue
    }
    for (const row of rows) {
      if (row.seq !== last + 1) yield missing(last + 1, row.seq - 1)
      yield stepOf(reads, row)
      last = row.seq
    }
    if (rows.length > 0) continue
    if ((await reads.store.readRawSession(reads.tenantId, sessionId)) === undefined) return
    yield missing(last + 1, lastSeq)
    return
  }
}

/** Undefined: it holds a damaged event. */
async function page(
  reads: LogReads,
  sessionId: string,
  range: { after: number; through: number; limit: number },
): Promise<readonly StoredEvent[] | undefined> {
  return unlessCorrupt(() => reads.readRows(sessionId, range))
}

async function* oneByOne(
  reads: LogReads,
  sessionId: string,
  after: number,
  through: number,
): AsyncGenerator<Step> {
  let isFound = false
  for (let seq = after + 1; seq <= through; seq++) {
    const rows = await page(reads, sessionId, { after: seq - 1, through: seq, limit: 1 })
    const row = rows?.[0]
    isFound ||= row === undefined
    if (row) yield stepOf(reads, row)
    else yield { seq, through: seq, problem: 'is missing or fails its checksum' }
  }
  // Where a prefix and the own events overlap, each can be read and all of them cannot.
  if (!isFound) yield { seq: after + 1, through, problem: 'cannot be read together with the others' }
}

function stepOf(reads: LogReads, row: StoredEvent): Step {
  const { seq, commitId } = row
  try {
    return { seq, event: decodeEvent(row, reads.upcasters), commitId }
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    return { seq, through: seq, problem: 'is not the JSON of an event' }
  }
}

function missing(seq: number, through: number): Step {
  return { seq, through, problem: 'is missing' }
}
