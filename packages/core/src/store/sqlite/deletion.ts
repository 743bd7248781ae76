/**
 * Deleting a session. One short transaction takes it from every read and leaves a tombstone; its rows are garbage
 * from then on, and are swept in slices, so that a session of a million events locks nobody out for long. Garbage of a
 * process that died half-way is swept by the next deletion or scrub.
 */
import { crcOfRow } from '../checksum.ts'
import type { DeleteOutcome } from '../store.ts'
import type { Connection } from './connection.ts'
import { dropLostChunks } from './drafts.ts'
import { forksOf } from './forks.ts'
import { dropFromIndex, lowerWatermark } from './search.ts'
import { getSession, getSessionNumber } from './sessions.ts'
import { noteErasure } from './upkeep.ts'
import { forgetUser } from './usage.ts'

const SELECT_EVENT_COUNT = 'SELECT seq - base FROM sessions WHERE session = ?'
const DELETE_SESSION = 'DELETE FROM sessions WHERE session = ?'
const DELETE_SEGMENTS = 'DELETE FROM segments WHERE session = ?'
const INSERT_TOMBSTONE = 'INSERT INTO tombstones (tenant, id, crc) VALUES (?, ?, ?)'
const INSERT_GARBAGE = 'INSERT INTO garbage (session) VALUES (?)'

/** Damage may name a session that is there: it is no garbage. */
const SELECT_GARBAGE = `
  SELECT session FROM garbage WHERE session NOT IN (SELECT session FROM sessions) LIMIT 1`

const DELETE_WRONG_GARBAGE = 'DELETE FROM garbage WHERE session IN (SELECT session FROM sessions)'
const DELETE_GARBAGE = 'DELETE FROM garbage WHERE session = ?'

const DELETE_EVENTS = `
  DELETE FROM events WHERE event IN (SELECT event FROM events WHERE session = ? LIMIT 500) RETURNING event`

const DELETE_CHUNKS = `
  DELETE FROM chunks WHERE rowid IN (
    SELECT chunks.rowid FROM drafts JOIN chunks ON chunks.draft = drafts.draft WHERE drafts.session = ? LIMIT 100
  )`

/** Each takes a bounded part of what is left; rows that may be megabytes go a few at a time. */
const slices: readonly string[] = [
  'DELETE FROM bodies WHERE rowid IN (SELECT rowid FROM bodies WHERE session = ? LIMIT 4)',
  'DELETE FROM attachments WHERE rowid IN (SELECT rowid FROM attachments WHERE session = ? LIMIT 2)',
  'DELETE FROM parts WHERE rowid IN (SELECT rowid FROM parts WHERE session = ? LIMIT 20)',
  'DELETE FROM waypoints WHERE rowid IN (SELECT rowid FROM waypoints WHERE session = ? LIMIT 500)',
  'DELETE FROM refs WHERE (session, kind, id, seq) IN (SELECT session, kind, id, seq FROM refs WHERE session = ? LIMIT 1000)',
  'DELETE FROM keys WHERE (session, key) IN (SELECT session, key FROM keys WHERE session = ? LIMIT 1000)',
  'DELETE FROM checkpoints WHERE checkpoint IN (SELECT checkpoint FROM checkpoints WHERE session = ? LIMIT 100)',
  DELETE_CHUNKS,
  'DELETE FROM drafts WHERE draft IN (SELECT draft FROM drafts WHERE session = ? LIMIT 1000)',
]

export function deleteSession(
  db: Connection,
  tenant: number,
  sessionId: string,
  { cascade, seq }: { cascade: boolean; seq?: number },
): DeleteOutcome {
  const root = getSessionNumber(db, tenant, sessionId)
  if (root === undefined) return { status: 'missing' }
  const now = seq === undefined ? undefined : getSession(db, tenant, sessionId)?.seq
  if (now !== undefined && now !== seq) return { status: 'moved', seq: now }
  const forks = forksOf(db, tenant, root).map(({ id }) => id)
  if (forks.length > 0 && !cascade) return { status: 'has_forks', forks }

  const all = withForks(db, tenant, { session: root, id: sessionId })
  let events = 0
  for (const { session, id } of all) events += discard(db, tenant, session, id)
  return { status: 'deleted', sessions: all.map(({ id }) => id), events }
}

/** The session and everything that is based on it, directly or through another. */
function withForks(
  db: Connection,
  tenant: number,
  root: { session: number; id: string },
): { session: number; id: string }[] {
  const found = new Map([[root.session, root]])
  for (const { session } of found.values()) {
    for (const fork of forksOf(db, tenant, session)) found.set(fork.session, fork)
  }
  return [...found.values()]
}

/** Gives how many events of its own it had: seqs have no gaps, so nothing needs counting. */
function discard(db: Connection, tenant: number, session: number, sessionId: string): number {
  const events = db.get(SELECT_EVENT_COUNT, session)?.[0] as number
  db.run(DELETE_SEGMENTS, session)
  db.run(DELETE_SESSION, session)
  db.run(INSERT_TOMBSTONE, tenant, sessionId, crcOfRow(tenant, sessionId))
  db.run(INSERT_GARBAGE, session)
  forgetUser(db, tenant, sessionId)
  noteErasure(db)
  return events
}

/** Sweeps one slice in its own transaction. False when nothing is left. */
export function sweepGarbage(db: Connection): boolean {
  const session = db.get(SELECT_GARBAGE)?.[0] as number | undefined
  if (session === undefined) return false
  if (sweepEvents(db, session) || slices.some((sql) => db.run(sql, session) > 0)) return true
  dropLostChunks(db, session)
  db.run(DELETE_GARBAGE, session)
  noteErasure(db)
  return true
}

/** Takes the mark of a deletion from sessions that are there. */
export function dropWrongGarbage(db: Connection): void {
  db.run(DELETE_WRONG_GARBAGE)
}

function sweepEvents(db: Connection, session: number): boolean {
  const events = db.all(DELETE_EVENTS, session)
  for (const [event] of events) dropFromIndex(db, event)
  if (events.length > 0) lowerWatermark(db)
  return events.length > 0
}
