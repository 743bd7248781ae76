/** Renewing a lease. Taking and releasing one is part of a commit. */
import type { Connection } from './connection.ts'
import { getLeased, setLease } from './sessions.ts'

/** False when the epoch does not hold the lease. */
export function renewLease(
  db: Connection,
  tenant: number,
  sessionId: string,
  epoch: number,
  expiresAtMs: number,
): boolean {
  const row = getLeased(db, tenant, sessionId)
  if (row?.lease.owner === undefined || row.lease.epoch !== epoch) return false
  setLease(db, tenant, sessionId, row.session, { ...row.lease, expiresAtMs })
  return true
}
