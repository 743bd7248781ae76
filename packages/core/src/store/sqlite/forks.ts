/** Segments: where the prefix of a fork is read from. A session that is no fork has none and pays for none. */
import { corrupt, corruptRow, crcOfRow, requireRow } from '../checksum.ts'
import type { Commit, Segment } from '../store.ts'
import type { Connection } from './connection.ts'
import { getSession, type SessionRow } from './sessions.ts'

/** Seqs `first`…`last` of an own log, both included. */
export interface Stretch {
  session: number
  first: number
  last: number
}

const INSERT_SEGMENT =
  'INSERT INTO segments (session, position, source, first, last, crc) VALUES (?, ?, ?, ?, ?, ?)'

const SELECT_STRETCHES =
  'SELECT position, source, first, last, crc FROM segments WHERE session = ? ORDER BY position'

const SELECT_ID = 'SELECT id FROM sessions WHERE session = ?'
const SELECT_NUMBER = 'SELECT session FROM sessions INDEXED BY sessions_id WHERE tenant = ? AND id = ?'

const SELECT_FORKS = `
  SELECT sessions.session, sessions.id FROM sessions
  WHERE sessions.session IN (SELECT session FROM segments WHERE source = ?) AND sessions.tenant = ?
  ORDER BY sessions.session`

/** The sources of a fork that is to be made, or undefined when one is missing ends before its segment, or has erased since. */
export function findSources(db: Connection, tenant: number, commit: Commit): Stretch[] | undefined {
  const found: Stretch[] = []
  for (const { sessionId, from, to, headSeq } of commit.segments ?? []) {
    const source = getSession(db, tenant, sessionId)
    if (!source || to > source.seq) return undefined
    if (headSeq !== undefined && source.erased > headSeq) return undefined
    found.push({ session: source.session, first: from, last: to })
  }
  return found
}

export function insertSegments(db: Connection, session: number, sources: readonly Stretch[]): void {
  for (const [position, source] of sources.entries()) {
    const values = [session, position, source.session, source.first, source.last] as const
    db.run(INSERT_SEGMENT, ...values, crcOfRow(...values))
  }
}

/** All that a session reads, in order: its segments, then its own events. */
export function stretchesOf(db: Connection, { session, base, seq }: SessionRow): Stretch[] {
  const own = { session, first: base + 1, last: seq }
  return base === 0 ? [own] : [...prefixOf(db, session, base), own]
}

function prefixOf(db: Connection, session: number, base: number): Stretch[] {
  let end = 0
  const prefix = db.all(SELECT_STRETCHES, session).map(([position, source, first, last, crc]) => {
    requireRow(crc, 'A segment', session, position, source, first, last)
    end = first === end + 1 ? last : Number.NaN
    return { session: source, first, last }
  })
  if (end !== base) throw corruptRow('The prefix of a fork')
  return prefix
}

export function readSegments(db: Connection, tenant: number, sessionId: string): Segment[] {
  const row = getSession(db, tenant, sessionId)
  if (!row || row.base === 0) return []
  return prefixOf(db, row.session, row.base).map(({ session, first, last }) => {
    const source = db.get(SELECT_ID, session)?.[0]
    if (!isNumbered(db, tenant, source, session)) throw corrupt('The source of the prefix', sessionId)
    return { sessionId: source, from: first, to: last }
  })
}

/** By the index of ids: a row whose number was changed by damage is found in the place of another. */
function isNumbered(db: Connection, tenant: number, id: string | undefined, session: number): boolean {
  return id !== undefined && db.get(SELECT_NUMBER, tenant, id)?.[0] === session
}

/** Sessions that are based on this one, oldest first. */
export function forksOf(db: Connection, tenant: number, session: number): { session: number; id: string }[] {
  return db.all(SELECT_FORKS, session, tenant).map(([fork, id]) => ({ session: fork, id }))
}

export function listForks(db: Connection, tenant: number, sessionId: string): string[] {
  const row = getSession(db, tenant, sessionId)
  const forks = row ? forksOf(db, tenant, row.session) : []
  if (!forks.every(({ id, session }) => isNumbered(db, tenant, id, session)))
    throw corrupt('A fork', sessionId)
  return forks.map(({ id }) => id)
}
