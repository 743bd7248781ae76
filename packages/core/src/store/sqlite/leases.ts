/** Renewing a lease. Taking and releasing one is part of a commit. */
import type { Connection } from './connection.ts'

const RENEW_LEASE = `
  UPDATE sessions SET lease_expires = ?
  WHERE tenant = ? AND id = ? AND epoch = ? AND lease_owner IS NOT NULL`

/** False when the epoch does not hold the lease. */
export function renewLease(
  db: Connection,
  tenant: number,
  sessionId: string,
  epoch: number,
  expiresAtMs: number,
): boolean {
  return db.run(RENEW_LEASE, expiresAtMs, tenant, sessionId, epoch) === 1
}
