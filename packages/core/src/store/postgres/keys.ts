/** Idempotency keys. A key answers until it is swept, whether or not its time is past. */
import type { TenantId } from '@holdfast/protocol'
import { lastSeqOf, repeatOf } from '../judge.ts'
import type { Commit, KeyRow, Verdict } from '../store.ts'
import { int4Array, int8Array, textArray } from './arrays.ts'
import type { Row } from './driver.ts'
import type { Answer, Step } from './flush.ts'
import { marksOf } from './sessions.ts'
import { listTenants } from './tenants.ts'
import type { Transactions } from './transactions.ts'

export interface UsedKey {
  hash: string
  firstSeq: number
  lastSeq: number
}

const INSERT_KEYS = `
  INSERT INTO @keys (tenant, session, key, hash, first, last, expires)
  SELECT $1, u.session, u.key, u.hash, u.first, u.seq, u.expires
  FROM unnest($2::text[], $3::int4[], $4::text[], $5::text[], $6::int4[], $7::int8[])
    AS u (session, seq, key, hash, first, expires)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid`

const SELECT_USED = `
  SELECT k.session, k.key, k.hash, k.first, k.last
  FROM unnest($2::text[], $3::text[]) AS u (session, key)
    JOIN @keys k ON k.tenant = $1 AND k.session = u.session AND k.key = u.key`

// A deleted session's keys stay until they are swept. What a key tells is an acknowledgement, and may have been written
// here without a standby having it: the lock makes this a write, which is answered when one has it and all before it.
const SELECT_KEY = `
  SELECT k.hash, k.first, k.last FROM @keys k
    JOIN @sessions s ON s.tenant = k.tenant AND s.session = k.session
  WHERE k.tenant = $1 AND k.session = $2 AND k.key = $3 FOR KEY SHARE OF s`

const LIST_KEYS = `
  SELECT k.key, k.hash, k.first, k.last, k.expires FROM @keys k
  WHERE k.tenant = $1 AND k.session = $2 AND k.key > $3 AND EXISTS (
    SELECT 1 FROM @sessions s WHERE s.tenant = $1 AND s.session = $2
  )
  ORDER BY k.key LIMIT $4`

const SWEEP_KEYS = `
  DELETE FROM @keys WHERE tenant = $1 AND (session, key) IN (
    SELECT session, key FROM @keys WHERE tenant = $1 AND expires <= $2 ORDER BY expires LIMIT $3
  )`

export function keysStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const keyed = commits.flatMap((commit) => (commit.key ? [{ commit, ...commit.key }] : []))
  if (keyed.length === 0) return undefined
  const values = [
    tenant,
    ...marksOf(keyed.map(({ commit }) => commit)),
    textArray(keyed.map(({ key }) => key)),
    textArray(keyed.map(({ hash }) => hash)),
    int4Array(keyed.map(({ commit }) => commit.baseSeq + 1)),
    int8Array(keyed.map(({ expiresAtMs }) => expiresAtMs)),
  ]
  return { sql: INSERT_KEYS, values }
}

/** Which keys of these commits were used before. */
export function usedKeysStep(tenant: TenantId, commits: readonly Commit[]): Step {
  const keyed = commits.filter(({ key }) => key)
  const sessions = textArray(keyed.map(({ sessionId }) => sessionId))
  return { sql: SELECT_USED, values: [tenant, sessions, textArray(keyed.map(({ key }) => key?.key))] }
}

export function keysOf(rows: readonly Row[]): UsedKeys {
  const keys = new UsedKeys()
  for (const [session, key, ...used] of rows) keys.set(session, key, usedOf(used))
  return keys
}

export class UsedKeys {
  readonly #keys = new Map<string, UsedKey>()

  set(sessionId: string, key: string, used: UsedKey): void {
    this.#keys.set(JSON.stringify([sessionId, key]), used)
  }

  note(commit: Commit): void {
    if (!commit.key) return
    const { key, hash } = commit.key
    this.set(commit.sessionId, key, { hash, firstSeq: commit.baseSeq + 1, lastSeq: lastSeqOf(commit) })
  }

  /** What the commit's key says, if it was used before. */
  earlierUse({ sessionId, key }: Commit): Verdict | undefined {
    const used = key && this.#keys.get(JSON.stringify([sessionId, key.key]))
    return used && repeatOf(used, key)
  }
}

export async function readKey(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  key: string,
): Promise<UsedKey | undefined> {
  const [row] = await db.read(tenant, SELECT_KEY, tenant, sessionId, key)
  return row && usedOf(row)
}

/** No key is the empty text, so a list begins after it. */
export async function listKeys(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  { after = '', limit }: { after?: string; limit: number },
): Promise<KeyRow[]> {
  const rows = await db.read(tenant, LIST_KEYS, tenant, sessionId, after, limit)
  return rows.map(([key, hash, first, last, expires]) => ({
    key,
    hash,
    firstSeq: Number(first),
    lastSeq: Number(last),
    expiresAtMs: Number(expires),
  }))
}

function usedOf([hash, first, last]: Row): UsedKey {
  return { hash, firstSeq: Number(first), lastSeq: Number(last) }
}

/** Gives how many went, of all tenants. */
export async function sweepKeys(db: Transactions, atMs: number, limit: number): Promise<number> {
  let swept = 0
  for (const tenant of await listTenants(db)) {
    if (swept >= limit) break
    const [answer] = await db.write(tenant, [
      { sql: SWEEP_KEYS, values: [tenant, Math.floor(atMs), limit - swept] },
    ])
    swept += (answer as Answer).count
  }
  return swept
}
