/**
 * Deleting a session. One short transaction takes it from every read and leaves a tombstone; its rows are garbage
 * from then on, and are swept in slices. Garbage of a process that died half-way is swept by the tenant's next deletion
 * or by a scrub.
 */
import type { TenantId } from '@holdfast/protocol'
import type { DeleteOutcome } from '../store.ts'
import type { Answer } from './flush.ts'
import { forksOf } from './forks.ts'
import { findAllStep } from './search.ts'
import { type LockedSession, lockSession } from './sessions.ts'
import type { Transaction, Transactions } from './transactions.ts'

/** Each takes the session away from a table that reads begin with. */
const discards: readonly string[] = [
  'DELETE FROM @segments WHERE tenant = $1 AND session = $2',
  'DELETE FROM @listings WHERE tenant = $1 AND session = $2',
  'DELETE FROM @sessions WHERE tenant = $1 AND session = $2',
  'INSERT INTO @tombstones (tenant, session) VALUES ($1, $2)',
  'INSERT INTO @garbage (tenant, session) VALUES ($1, $2)',
  'UPDATE @usage SET owner = NULL WHERE tenant = $1 AND session = $2 AND owner IS NOT NULL',
]

/** Damage may name a session that is there: it is no garbage. */
const SELECT_GARBAGE = `
  SELECT session FROM @garbage g WHERE tenant = $1 AND NOT EXISTS (
    SELECT 1 FROM @sessions s WHERE s.tenant = $1 AND s.session = g.session
  )
  LIMIT 1`

const DELETE_WRONG_GARBAGE = `
  DELETE FROM @garbage g WHERE tenant = $1 AND EXISTS (
    SELECT 1 FROM @sessions s WHERE s.tenant = $1 AND s.session = g.session
  )`
const DELETE_GARBAGE = 'DELETE FROM @garbage WHERE tenant = $1 AND session = $2'

/**
 * Each takes a bounded part of what is left; rows that may be megabytes go a few at a time. Up to where it goes is one
 * value: as a join with the rows of the slice a plan may compare each of theirs with each of the session's.
 */
const slices: readonly string[] = [
  `DELETE FROM @search WHERE tenant = $1 AND session = $2 AND seq <= (
    SELECT seq FROM (
      SELECT seq FROM @search WHERE tenant = $1 AND session = $2 ORDER BY seq LIMIT 5000
    ) slice ORDER BY seq DESC LIMIT 1)`,
  `DELETE FROM @events WHERE tenant = $1 AND session = $2 AND seq <= (
    SELECT seq FROM (
      SELECT seq FROM @events WHERE tenant = $1 AND session = $2 ORDER BY seq LIMIT 5000
    ) slice ORDER BY seq DESC LIMIT 1)`,
  `DELETE FROM @bodies WHERE tenant = $1 AND session = $2 AND hash <= (
    SELECT hash FROM (
      SELECT hash FROM @bodies WHERE tenant = $1 AND session = $2 ORDER BY hash LIMIT 20
    ) slice ORDER BY hash DESC LIMIT 1)`,
  `DELETE FROM @attachments WHERE tenant = $1 AND session = $2 AND hash <= (
    SELECT hash FROM (
      SELECT hash FROM @attachments WHERE tenant = $1 AND session = $2 ORDER BY hash LIMIT 20
    ) slice ORDER BY hash DESC LIMIT 1)`,
  `DELETE FROM @parts WHERE tenant = $1 AND session = $2 AND (part, seq) <= (
    SELECT part, seq FROM (
      SELECT part, seq FROM @parts WHERE tenant = $1 AND session = $2 ORDER BY part, seq LIMIT 200
    ) slice ORDER BY part DESC, seq DESC LIMIT 1)`,
  `DELETE FROM @refs WHERE tenant = $1 AND session = $2 AND (kind, id, seq) <= (
    SELECT kind, id, seq FROM (
      SELECT kind, id, seq FROM @refs WHERE tenant = $1 AND session = $2 ORDER BY kind, id, seq LIMIT 5000
    ) slice ORDER BY kind DESC, id DESC, seq DESC LIMIT 1)`,
  'DELETE FROM @waypoints WHERE tenant = $1 AND session = $2',
  'DELETE FROM @keys WHERE tenant = $1 AND session = $2',
  'DELETE FROM @checkpoints WHERE tenant = $1 AND session = $2',
  'DELETE FROM @chunks WHERE tenant = $1 AND session = $2',
  'DELETE FROM @drafts WHERE tenant = $1 AND session = $2',
  'DELETE FROM @stale_words WHERE tenant = $1 AND session = $2',
]

export function deleteSession(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  { cascade, seq: decidedOn }: { cascade: boolean; seq?: number },
): Promise<DeleteOutcome> {
  return db.transact(tenant, async (tx) => {
    const root = await lockSession(tx, tenant, sessionId)
    if (!root) return { status: 'missing' }
    if (decidedOn !== undefined && root.seq !== decidedOn) return { status: 'moved', seq: root.seq }
    const forks = await forksOf(tx, tenant, sessionId)
    if (forks.length > 0 && !cascade) return { status: 'has_forks', forks }

    const all = await withForks(tx, tenant, sessionId, root)
    let events = 0
    for (const [id, { base, seq }] of all) {
      for (const sql of discards) tx.send({ sql, values: [tenant, id] })
      events += seq - base
    }
    return { status: 'deleted', sessions: [...all.keys()], events }
  })
}

/** The session and everything that is based on it, directly or through another, each locked. */
async function withForks(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  root: LockedSession,
): Promise<Map<string, LockedSession>> {
  const found = new Map([[sessionId, root]])
  for (const id of found.keys()) {
    for (const fork of await forksOf(tx, tenant, id)) {
      const locked = found.has(fork) ? undefined : await lockSession(tx, tenant, fork)
      if (locked) found.set(fork, locked)
    }
  }
  return found
}

/** Sweeps what deletions have left of a tenant. */
export async function sweepGarbage(db: Transactions, tenant: TenantId): Promise<void> {
  for (;;) {
    const [row] = await db.read(tenant, SELECT_GARBAGE, tenant)
    if (!row) return
    const values = [tenant, row[0] as string]
    for (const sql of slices) await sweepWhole(db, tenant, { sql, values })
    await db.write(tenant, [{ sql: DELETE_GARBAGE, values }])
  }
}

/** Takes the mark of a deletion from sessions that are there. */
export async function dropWrongGarbage(db: Transactions, tenant: TenantId): Promise<void> {
  await db.write(tenant, [{ sql: DELETE_WRONG_GARBAGE, values: [tenant] }])
}

async function sweepWhole(
  db: Transactions,
  tenant: TenantId,
  slice: { sql: string; values: string[] },
): Promise<void> {
  for (;;) {
    const [, answer] = await db.write(tenant, [findAllStep(tenant), slice])
    if ((answer as Answer).count === 0) return
  }
}
