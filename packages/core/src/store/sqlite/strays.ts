/**
 * Bodies that no event names. A crash cannot make them, but damage can, and a body is then all that is left of its event:
 * so bodies stay in a session of which an event is missing or has lost its own, or whose row is gone.
 */
import type { Connection } from './connection.ts'
import { noteErasure } from './upkeep.ts'

const SELECT_BODIES = `
  SELECT page.body, page.session, EXISTS (
    SELECT 1 FROM events WHERE events.session = page.session AND events.aside = page.hash
  )
  FROM (SELECT rowid AS body, session, hash FROM bodies WHERE rowid > ? ORDER BY rowid LIMIT 500) AS page
  ORDER BY page.body`

/** Every event of the session is in its row, with its body here or beside: else a body may be what is left of one. */
const SELECT_IS_WHOLE = `
  SELECT 1 FROM sessions WHERE session = ?
    AND (SELECT count(*) FROM events WHERE events.session = sessions.session) = seq - base
    AND (SELECT coalesce(min(seq), base + 1) FROM events WHERE events.session = sessions.session) = base + 1
    AND (SELECT coalesce(max(seq), base) FROM events WHERE events.session = sessions.session) = sessions.seq
    AND NOT EXISTS (
      SELECT 1 FROM events WHERE events.session = sessions.session AND events.body IS NULL AND NOT EXISTS (
        SELECT 1 FROM bodies WHERE bodies.session = events.session AND bodies.hash = events.aside
      )
    )`

const DELETE_BODY = 'DELETE FROM bodies WHERE rowid = ?'

export interface StrayBodies {
  strays: readonly { body: number; session: number }[]
  /** Where the next page begins; absent at the end. */
  next?: number
}

/** One page of the bodies that no event names. */
export function strayBodies(db: Connection, after: number): StrayBodies {
  const rows = db.all(SELECT_BODIES, after) as [number, number, number][]
  const unnamed = rows.flatMap(([body, session, isNamed]) => (isNamed ? [] : [{ body, session }]))
  const sessions = new Set(unnamed.map(({ session }) => session))
  const whole = new Set([...sessions].filter((session) => db.get(SELECT_IS_WHOLE, session)))
  const strays = unnamed.filter(({ session }) => whole.has(session))
  const last = rows.at(-1)?.[0]
  return { strays, ...(last !== undefined && { next: last }) }
}

/** Takes away one page of stray bodies. Gives where the next begins; undefined at the end. */
export function sweepBodies(db: Connection, after: number): number | undefined {
  const { strays, next } = strayBodies(db, after)
  for (const { body } of strays) db.run(DELETE_BODY, body)
  if (strays.length > 0) noteErasure(db)
  return next
}
