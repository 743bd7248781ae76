/** Renewing a lease. Taking and releasing one is part of a commit. */
import type { Connection } from './connection.ts'
import { crcOfSession, getLeased } from './sessions.ts'

const RENEW_LEASE = 'UPDATE sessions SET lease_expires = ?, crc = ? WHERE tenant = ? AND id = ?'

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
  const crc = crcOfSession({ tenant, sessionId, base: row.base, lease: { ...row.lease, expiresAtMs } })
  return db.run(RENEW_LEASE, expiresAtMs, crc, tenant, sessionId) === 1
}
