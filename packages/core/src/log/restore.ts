/** Puts a session's own events back as an export gave them: the same seqs, the same bytes, everything derived folded anew. */
import {
  type Actor,
  type EventData,
  envelope,
  eventSchemas,
  eventVersions,
  HoldfastError,
  isErased,
  limits,
  parseInput,
  scanText,
} from '@holdfast/protocol'
import type { FoldEvent } from '../session/state.ts'
import type { Attachment } from '../store/store.ts'
import { attachmentOf } from './attachments.ts'
import { prefixOf } from './create-session.ts'
import { wireText } from './event-codec.ts'
import type { Start } from './request.ts'
import { settleLease } from './restored-lease.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Receipt, receiptOf } from './write-options.ts'

export interface RestoreInput {
  /**
   * JSON texts of events in order, as `eventTexts` gives them; those that are here already must be the same. Of a fork
   * its own, from `session.forked` on: its source is restored before it.
   */
  events: readonly string[]
  /** Bytes that these events name by their hash. */
  attachments?: readonly Uint8Array[]
}

export async function restoreEvents(
  log: TenantLog,
  sessionId: string,
  { events: texts, attachments = [] }: RestoreInput,
  actor: Actor,
): Promise<Receipt> {
  const events = texts.map(readEvent)
  const head = (await log.reads.getHead(sessionId))?.state.head
  const after = head?.seq ?? originOf(events[0])?.seq ?? 0
  await requireSame(log, sessionId, texts, events, after)
  const fresh = events.filter(({ seq }) => seq > after)
  const first = fresh[0]
  if (!first) {
    if (head) await settleLease(log, sessionId, { events, isNew: false })
    return { changed: false, replayed: false }
  }
  requireGapFree(sessionId, fresh, after)
  const prefix = head ? undefined : await prefixBefore(log, sessionId, first)
  const files: Attachment[] = attachments.map(attachmentOf)
  const written = await log.restore(sessionId, fresh, { actor, attachments: files }, prefix)
  await settleLease(log, sessionId, { events, isNew: true })
  return receiptOf(written)
}

/** What comes before a session's first own event: nothing, or for a fork its source's log, which is here already. */
async function prefixBefore(
  log: TenantLog,
  sessionId: string,
  first: FoldEvent,
): Promise<Pick<Start, 'source' | 'segments'>> {
  requireOwn(log, sessionId, first)
  const origin = originOf(first)
  return origin ? prefixOf(log, origin.sessionId, origin.seq) : { source: undefined, segments: [] }
}

function originOf(event: FoldEvent | undefined): EventData<'session.forked'>['origin'] | undefined {
  return event?.type === 'session.forked' ? (event.data as EventData<'session.forked'>).origin : undefined
}

function readEvent(text: string): FoldEvent {
  const event = parseInput(envelope, scanText(text, 'eventBytes', 'event'), 'event') as FoldEvent
  const isOurs = Object.hasOwn(eventSchemas, event.type)
  const type = event.type as keyof typeof eventSchemas
  if (isOurs && event.v === (eventVersions[type] ?? 1) && !isErased(event))
    parseInput(eventSchemas[type] as (typeof eventSchemas)['session.renamed'], event.data, type)
  return event
}

async function requireSame(
  log: TenantLog,
  sessionId: string,
  texts: readonly string[],
  events: readonly FoldEvent[],
  after: number,
): Promise<void> {
  const known = events.filter(({ seq }) => seq <= after)
  const through = known.at(-1)?.seq ?? 0
  let kept: ReadonlyMap<number, string> = new Map()
  let end = 0
  for (const [n, { seq }] of events.entries()) {
    if (seq > after) continue
    if (seq > end) {
      kept = await textsOf(log, sessionId, { after: seq - 1, through })
      end = Math.max(...kept.keys(), 0)
    }
    if (kept.get(seq) !== texts[n]) parted(sessionId, seq)
  }
  requireGapFree(sessionId, known, (known[0]?.seq ?? 1) - 1)
}

/** The next page of what is here. */
async function textsOf(
  log: TenantLog,
  sessionId: string,
  range: { after: number; through: number },
): Promise<Map<number, string>> {
  const page = await log.reads.readRows(sessionId, { ...range, limit: limits.pageItems })
  return new Map(page.map((row) => [row.seq, wireText(row, log.engine.upcasters)]))
}

function parted(sessionId: string, seq: number | undefined): never {
  throw new HoldfastError(
    'id_taken',
    `session ${sessionId} is here with another event at seq ${seq}; its log parts from the one to be restored`,
    { details: { seq } },
  )
}

function requireGapFree(sessionId: string, events: readonly FoldEvent[], after: number): void {
  const other = events.findIndex(({ seq }, n) => seq !== after + n + 1)
  if (other < 0) return
  throw new HoldfastError(
    'invalid_input',
    `event ${events[other]?.seq} of session ${sessionId} does not follow seq ${after + other}`,
    { details: { seq: after + other } },
  )
}

function requireOwn(log: TenantLog, sessionId: string, { type, data }: FoldEvent): void {
  const { sessionId: id, tenantId } = data as { sessionId?: string; tenantId?: string }
  const isBeginning = type === 'session.created' || type === 'session.forked'
  if (isBeginning && id === sessionId && tenantId === log.tenantId) return
  throw new HoldfastError(
    'invalid_input',
    `the log does not begin with the creation of session ${sessionId} in tenant ${log.tenantId}`,
  )
}
