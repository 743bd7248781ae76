/** Renewing a lease. Taking and releasing one is part of a commit. */
import type { TenantId } from '@holdfast/protocol'
import type { Clock } from './clock.ts'
import type { Answer } from './flush.ts'
import type { Transactions } from './transactions.ts'

const RENEW_LEASE = `
  UPDATE @sessions
  SET lease_expires = coalesce($4::int8, (extract(epoch FROM clock_timestamp()) * 1000)::int8) + $5::int8
  WHERE tenant = $1 AND session = $2 AND epoch = $3 AND lease_owner IS NOT NULL
  RETURNING lease_expires`

/** False when the epoch does not hold the lease. */
export async function renewLease(
  db: Transactions,
  clock: Clock,
  tenant: TenantId,
  { sessionId, epoch, ttlMs }: { sessionId: string; epoch: number; ttlMs: number },
): Promise<boolean> {
  const values = [tenant, sessionId, epoch, clock.forStatement(), Math.floor(ttlMs)]
  const [answer] = await db.write(tenant, [{ sql: RENEW_LEASE, values }])
  const [row] = (answer as Answer).rows
  if (row) clock.hear(Number(row[0]) - ttlMs)
  return row !== undefined
}
