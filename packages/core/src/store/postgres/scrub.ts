/**
 * Making deletions and erasures final: what they left is swept, and VACUUM takes the dead rows out of the tables and
 * indices. Copies outside of the tables (the server's journal, replicas, backups) are the operator's.
 */
import type { Connections } from './connection.ts'
import { dropWrongGarbage, sweepGarbage } from './deletion.ts'
import { storeError } from './errors.ts'
import { patiently } from './patience.ts'
import { sweepStrays } from './strays.ts'
import { listTenants } from './tenants.ts'
import type { Transactions } from './transactions.ts'

const vacuums: readonly string[] = [
  'VACUUM (INDEX_CLEANUP ON) @events, @bodies, @parts, @waypoints, @refs, @keys, @segments, @sessions, @listings',
  'VACUUM (INDEX_CLEANUP ON) @attachments, @checkpoints, @drafts, @chunks, @search, @stale_words, @usage, @garbage',
]

export async function scrub(db: Transactions, owner: Connections): Promise<void> {
  for (const tenant of await listTenants(db)) {
    await dropWrongGarbage(db, tenant)
    await sweepGarbage(db, tenant)
    await sweepStrays(db, tenant)
  }
  try {
    for (const sql of vacuums) await patiently(() => owner.use((connection) => connection.run(sql)))
  } catch (error) {
    throw storeError(error)
  }
}
