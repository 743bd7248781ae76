/**
 * Event rows. A body from `limits.asideBytes` on lies in a table beside, by its hash, so that it does not push its
 * neighbours off their page; equal bodies of a session share one row there.
 */
import { limits } from '@holdfast/protocol'
import { corrupt, crcOfEvent } from '../checksum.ts'
import { sha256 } from '../sha256.ts'
import type { Commit, EventRange, NewEvent, StoredEvent } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import { type Stretch, stretchesOf } from './forks.ts'
import { getSession } from './sessions.ts'

const INSERT_EVENT = `
  INSERT INTO events (session, seq, v, crc, type, at, commit_id, aside, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`

const INSERT_BODY = 'INSERT INTO bodies (session, hash, body) VALUES (?, ?, ?) ON CONFLICT DO NOTHING'

const SELECT_BODY = 'SELECT body FROM bodies WHERE session = ? AND hash = ?'

const SELECT_FORWARD = `
  SELECT seq, v, crc, type, at, commit_id, aside, body FROM events
  WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?`

const SELECT_BACKWARD = `
  SELECT seq, v, crc, type, at, commit_id, aside, body FROM events
  WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?`

/** Rows fetched by one statement: without the bodies kept aside they are at most 2 MiB. */
const rowsAtOnce = 256

/** An event on its way to the writer thread, whose checksum was made before it left. */
export interface SummedEvent extends NewEvent {
  /** As of `crcOfEvent`. */
  crc?: number
}

export function insertEvents(db: Connection, session: number, { events, baseSeq, commitId }: Commit): void {
  let seq = baseSeq
  for (const event of events as readonly SummedEvent[]) {
    seq += 1
    const { type, v, at, body, crc: own = crcOfEvent(seq, commitId, event) } = event
    const crc = crcIn(session, own)
    const aside = keepAside(db, session, body)
    db.run(INSERT_EVENT, session, seq, v, crc, type, at, commitId, aside, aside ? null : body)
  }
}

/** Keeps a large body beside and gives the hash that the event row names instead. */
export function keepAside(db: Connection, session: number, body: string): Uint8Array | null {
  if (body.length * 3 < limits.asideBytes || Buffer.byteLength(body) < limits.asideBytes) return null
  const hash = sha256(body)
  db.run(INSERT_BODY, session, hash, body)
  return hash
}

export function readEvents(
  db: Connection,
  tenant: number,
  sessionId: string,
  range: EventRange,
): StoredEvent[] {
  const row = getSession(db, tenant, sessionId)
  if (!row) return []
  const low = Math.max((range.after ?? 0) + 1, 1)
  const high = Math.min(range.through ?? row.seq, row.seq)
  const stretches = stretchesOf(db, row)
  const page = new Page(sessionId, range)
  for (const stretch of range.direction === 'forward' ? stretches : stretches.toReversed()) {
    const from = Math.max(low, stretch.first)
    const to = Math.min(high, stretch.last)
    if (from <= to && !readStretch(db, { session: stretch.session, first: from, last: to }, page)) break
  }
  return page.events
}

/** False when the page is full. */
function readStretch(db: Connection, { session, first, last }: Stretch, page: Page): boolean {
  const forward = page.range.direction === 'forward'
  let [low, high] = [first, last]
  while (low <= high) {
    const wanted = Math.min(page.range.limit - page.events.length, rowsAtOnce)
    if (wanted <= 0) return false
    const rows = db.all(forward ? SELECT_FORWARD : SELECT_BACKWARD, session, low, high, wanted)
    const due = Math.min(wanted, high - low + 1)
    for (let index = 0; index < due; index += 1) {
      const seq = forward ? low + index : high - index
      if (!page.add(db, session, seq, rows[index])) return false
    }
    if (forward) low += due
    else high -= due
  }
  return true
}

/** Events gathered up to the limits of a range. */
class Page {
  readonly events: StoredEvent[] = []
  readonly range: EventRange
  readonly #sessionId: string
  /** Never less than the bytes of the page; 3 for a UTF-16 unit. Counting them costs as much as reading a row's columns. */
  #mostBytes = 0
  /** Counted once the page may be full. */
  #bytes: number | undefined

  constructor(sessionId: string, range: EventRange) {
    this.#sessionId = sessionId
    this.range = range
  }

  /** Takes the row that must be the event `seq`. False when it does not fit any more. */
  add(db: Connection, session: number, seq: number, row: Row | undefined): boolean {
    const event = row && eventOf(db, session, row)
    if (!event || event.seq !== seq || !isWhole(session, row, event)) {
      throw corrupt(`Event ${seq}`, this.#sessionId, { seq })
    }
    if (!this.#fits(event) && this.events.length > 0) return false
    this.events.push(event)
    return true
  }

  #fits({ body }: StoredEvent): boolean {
    this.#mostBytes += body.length * 3
    if (this.#mostBytes <= this.range.maxBytes) return true
    this.#bytes ??= this.events.reduce((sum, event) => sum + Buffer.byteLength(event.body), 0)
    this.#bytes += Buffer.byteLength(body)
    return this.#bytes <= this.range.maxBytes
  }
}

/** Of an event in a log: one that is found in the log of another session is not whole there. */
export function crcIn(session: number, crc: number): number {
  return (crc + Math.imul(session, 0x9e3779b1)) >>> 0
}

/** Older rows have the checksum of the event alone. */
export function isWhole(session: number, row: Row, event: StoredEvent): boolean {
  const crc = crcOfEvent(event.seq, event.commitId, event)
  return row[2] === crcIn(session, crc) || row[2] === crc
}

/** The event of a row, its body fetched from aside; undefined when that is gone, or what should be text is none. Its checksum is not looked at. */
export function eventOf(db: Connection, session: number, row: Row): StoredEvent | undefined {
  const [seq, v, , type, at, commitId, aside, inline] = row
  const body = aside === null ? inline : db.get(SELECT_BODY, session, aside)?.[0]
  return isText(body) && isText(type) && isText(at) && isText(commitId)
    ? { seq, type, v, at, body, commitId }
    : undefined
}

/** Damage can make a column of a text something else, whatever the schema says. */
function isText(value: unknown): value is string {
  return typeof value === 'string'
}
