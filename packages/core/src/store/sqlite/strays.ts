/**
 * Rows that nothing names: bodies of no event, chunks of no draft. A crash cannot make them, but damage can, and a body is
 * then all that is left of its event: so bodies stay in a session of which an event has lost its own.
 */
import type { Connection } from './connection.ts'
import { noteErasure } from './upkeep.ts'

const SELECT_BODIES = `
  SELECT page.body, page.session, EXISTS (
    SELECT 1 FROM events WHERE events.session = page.session AND events.aside = page.hash
  )
  FROM (SELECT rowid AS body, session, hash FROM bodies WHERE rowid > ? ORDER BY rowid LIMIT 500) AS page
  ORDER BY page.body`

const SELECT_LOST_BODY = `
  SELECT 1 FROM events WHERE session = ? AND aside IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM bodies WHERE bodies.session = events.session AND bodies.hash = events.aside)
  LIMIT 1`

const SELECT_CHUNKS = 'SELECT rowid FROM chunks WHERE draft NOT IN (SELECT draft FROM drafts) LIMIT 500'

const DELETE_BODY = 'DELETE FROM bodies WHERE rowid = ?'
const DELETE_CHUNK = 'DELETE FROM chunks WHERE rowid = ?'

export interface StrayBodies {
  strays: readonly { body: number; session: number }[]
  /** Where the next page begins; absent at the end. */
  next?: number
}

/** One page of the bodies that no event names. */
export function strayBodies(db: Connection, after: number): StrayBodies {
  const rows = db.all(SELECT_BODIES, after) as [number, number, number][]
  const strays = rows.flatMap(([body, session, isNamed]) =>
    isNamed || db.get(SELECT_LOST_BODY, session) ? [] : [{ body, session }],
  )
  const last = rows.at(-1)?.[0]
  return { strays, ...(last !== undefined && { next: last }) }
}

export function strayChunks(db: Connection): number[] {
  return db.all(SELECT_CHUNKS).map(([chunk]) => chunk as number)
}

/** Takes away one page of stray bodies. Gives where the next begins; undefined at the end. */
export function sweepBodies(db: Connection, after: number): number | undefined {
  const { strays, next } = strayBodies(db, after)
  for (const { body } of strays) db.run(DELETE_BODY, body)
  if (strays.length > 0) noteErasure(db)
  return next
}

/** False when there are none. */
export function sweepChunks(db: Connection): boolean {
  const chunks = strayChunks(db)
  for (const chunk of chunks) db.run(DELETE_CHUNK, chunk)
  if (chunks.length > 0) noteErasure(db)
  return chunks.length > 0
}
