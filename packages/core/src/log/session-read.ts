/** A session as it is read: the view of its state, and its events page by page. */
import { HoldfastError, limits, type Session, type SessionEvent } from '@holdfast/protocol'
import { partNames } from '../session/state.ts'
import { sessionView, summaryOf, summarySeq } from '../session/view.ts'
import { decodeEvent, wireText } from './event-codec.ts'
import type { Loaded, LogReads } from './log-reads.ts'

/** The session now; undefined when there is none. */
export async function getSession(reads: LogReads, sessionId: string): Promise<Session | undefined> {
  const loaded = await reads.getHead(sessionId)
  if (!loaded) return undefined
  const { head } = loaded.state
  const parts = await reads.readParts(sessionId, partNames, head.seq)
  return viewOf(reads, sessionId, { state: { head, parts }, lease: loaded.lease })
}

export async function viewOf(reads: LogReads, sessionId: string, { state, lease }: Loaded): Promise<Session> {
  const seq = summarySeq(state)
  const event = seq === undefined ? undefined : await reads.getEvent(sessionId, seq)
  return sessionView(state, lease, reads.store.now(), event && summaryOf(event))
}

export interface EventPageOptions {
  /** Exclusive lower end. */
  after?: number
  /** Inclusive upper end. */
  through?: number
  limit?: number
  /** Bytes of the bodies in the page, which has one event at least; default and most 4 MiB. Small ones keep the memory of a long read small. */
  maxBytes?: number
  /** `backward` gives the newest first. */
  direction?: 'forward' | 'backward'
}

export interface EventPage {
  events: SessionEvent[]
  /** True when the range holds more. */
  more: boolean
}

export async function readEvents(
  reads: LogReads,
  sessionId: string,
  options: EventPageOptions = {},
): Promise<EventPage> {
  const { rows, more } = await readRowPage(reads, sessionId, options)
  return { events: rows.map((row) => decodeEvent(row, reads.upcasters)), more }
}

export interface EventTextPage {
  texts: { seq: number; text: string }[]
  more: boolean
}

/** The same as wire texts, which are not parsed on the way. */
export async function readEventTexts(
  reads: LogReads,
  sessionId: string,
  options: EventPageOptions = {},
): Promise<EventTextPage> {
  const { rows, more } = await readRowPage(reads, sessionId, options)
  return { texts: rows.map((row) => ({ seq: row.seq, text: wireText(row, reads.upcasters) })), more }
}

async function readRowPage(reads: LogReads, sessionId: string, options: EventPageOptions) {
  const { after, through, direction = 'forward' } = options
  const limit = pageLimit(options.limit)
  const rows = await reads.readRows(sessionId, {
    limit: limit + 1,
    direction,
    maxBytes: bytesOf(options.maxBytes),
    ...(after !== undefined && { after: position(after) }),
    ...(through !== undefined && { through: position(through) }),
  })
  if (rows.length === 0) await reads.requireHead(sessionId)
  if (rows.length > limit) return { rows: rows.slice(0, limit), more: true }
  return { rows, more: rows.length > 0 && (await hasMore(reads, sessionId, options, rows)) }
}

/** A page may be short because of its bytes, whatever it holds: the next event alone may have as many. */
async function hasMore(
  reads: LogReads,
  sessionId: string,
  { after = 0, through, direction = 'forward' }: EventPageOptions,
  rows: readonly { seq: number }[],
): Promise<boolean> {
  const last = rows.at(-1)?.seq ?? 0
  if (direction === 'backward') return last > after + 1
  if (through !== undefined && last >= through) return false
  return (await reads.readRows(sessionId, { after: last, limit: 1 })).length > 0
}

function bytesOf(maxBytes: number = limits.pageBytes): number {
  if (Number.isSafeInteger(maxBytes) && maxBytes >= 1) return Math.min(maxBytes, limits.pageBytes)
  throw new HoldfastError('invalid_input', 'maxBytes: expected a whole number of at least 1.')
}

export function pageLimit(limit = 50): number {
  if (Number.isSafeInteger(limit) && limit >= 1) return Math.min(limit, limits.pageItems)
  throw new HoldfastError('invalid_input', 'limit: expected a whole number of at least 1.')
}

function position(seq: number): number {
  if (Number.isSafeInteger(seq) && seq >= 0) return seq
  throw new HoldfastError('invalid_input', 'a seq is a whole number of at least 0.')
}
