/** Replacing what was derived from a log by what was folded from it anew. */
import type { Rebuild } from '../store.ts'
import type { Connection } from './connection.ts'
import { putPart, putWaypoint } from './parts.ts'
import { deleteRef, insertRefs } from './refs.ts'
import { findEndingAt, mendRow, setHead, setLease } from './sessions.ts'
import { deleteUsage, insertUsage } from './usage.ts'

const DROP_BEYOND: readonly string[] = [
  'DELETE FROM parts WHERE session = ? AND seq > ?',
  'DELETE FROM waypoints WHERE session = ? AND seq > ?',
  'DELETE FROM refs WHERE session = ? AND seq > ?',
]

const DROP_USAGE_BEYOND = 'DELETE FROM usage WHERE tenant = ? AND session_id = ? AND seq > ?'

/** False when it was folded from another last event. */
export function rebuild(db: Connection, tenant: number, rebuilt: Rebuild): boolean {
  const { sessionId, lastSeq, head, lease } = rebuilt
  const session = findEndingAt(db, tenant, sessionId, lastSeq)
  if (session === undefined) return false
  db.known.forgetSession(tenant, sessionId)
  for (const sql of DROP_BEYOND) db.run(sql, session, lastSeq)
  db.run(DROP_USAGE_BEYOND, tenant, sessionId, lastSeq)
  mendRow(db, tenant, sessionId, lastSeq)
  if (head) setHead(db, tenant, sessionId, session, head)
  if (lease) setLease(db, tenant, sessionId, session, lease)
  for (const part of rebuilt.parts) putPart(db, session, part)
  for (const waypoint of rebuilt.waypoints) putWaypoint(db, session, waypoint)
  for (const ref of rebuilt.strayRefs) deleteRef(db, session, ref)
  insertRefs(db, session, rebuilt.refs)
  for (const seq of rebuilt.usageSeqs) deleteUsage(db, tenant, sessionId, seq)
  for (const usage of rebuilt.usage) insertUsage(db, tenant, sessionId, usage)
  return true
}
