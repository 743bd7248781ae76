/**
 * Rows that nothing names: bodies of no event, chunks of no draft. A crash cannot make them, but damage can, and a body is
 * then all that is left of its event: so bodies stay in a session of which an event has lost its own, or the row is gone.
 */
import type { TenantId } from '@holdfast/protocol'
import { bytesArray } from './arrays.ts'
import type { SqlValue } from './driver.ts'
import type { Answer } from './flush.ts'
import { lockSession } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const SELECT_BODIES = `
  SELECT page.session, page.hash, s.session IS NOT NULL AND named.seq IS NULL AND lost.seq IS NULL
  FROM (
    SELECT session, hash FROM @bodies WHERE tenant = $1 AND (session, hash) > ($2, $3::bytea)
    ORDER BY session, hash LIMIT 500
  ) page
    LEFT JOIN @sessions s ON s.tenant = $1 AND s.session = page.session
    LEFT JOIN LATERAL (
      SELECT e.seq FROM @events e WHERE e.tenant = $1 AND e.session = page.session AND e.aside = page.hash LIMIT 1
    ) named ON true
    LEFT JOIN LATERAL (
      SELECT e.seq FROM @events e
      WHERE named.seq IS NULL AND e.tenant = $1 AND e.session = page.session AND e.aside IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM @bodies b WHERE b.tenant = $1 AND b.session = e.session AND b.hash = e.aside
      )
      LIMIT 1
    ) lost ON true
  ORDER BY page.session, page.hash`

const DELETE_BODIES = `
  DELETE FROM @bodies b WHERE b.tenant = $1 AND b.session = $2 AND b.hash = ANY($3::bytea[])
    AND NOT EXISTS (SELECT 1 FROM @events e WHERE e.tenant = $1 AND e.session = $2 AND e.aside = b.hash)
    AND NOT EXISTS (
      SELECT 1 FROM @events e
      WHERE e.tenant = $1 AND e.session = $2 AND e.aside IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM @bodies own WHERE own.tenant = $1 AND own.session = $2 AND own.hash = e.aside
      )
    )`

const COUNT_CHUNKS = `
  SELECT count(*) FROM (
    SELECT 1 FROM @chunks c WHERE c.tenant = $1 AND NOT EXISTS (
      SELECT 1 FROM @drafts d WHERE d.tenant = $1 AND d.session = c.session AND d.draft = c.draft
    )
    LIMIT 500
  ) strays`

const DELETE_CHUNKS = `
  DELETE FROM @chunks WHERE tenant = $1 AND (session, draft, chunk) IN (
    SELECT c.session, c.draft, c.chunk FROM @chunks c WHERE c.tenant = $1 AND NOT EXISTS (
      SELECT 1 FROM @drafts d WHERE d.tenant = $1 AND d.session = c.session AND d.draft = c.draft
    )
    LIMIT 500
  )`

export interface StrayBodies {
  strays: readonly { session: string; hash: Buffer }[]
  /** The last key of the page; absent at the end. */
  next?: readonly SqlValue[]
}

/** Before every body. */
export const firstBody: readonly SqlValue[] = ['', '']

/** One page of the bodies that no event names. */
export async function strayBodies(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
): Promise<StrayBodies> {
  const rows = await db.read(tenant, SELECT_BODIES, tenant, ...after)
  const strays = rows.flatMap(([session, hash, isStray]) =>
    isStray === 't' ? [{ session, hash: Buffer.from(hash.slice(2), 'hex') }] : [],
  )
  const last = rows.at(-1)
  return { strays, ...(last && { next: last.slice(0, 2) }) }
}

/** 500 for more. */
export async function countStrayChunks(db: Transactions, tenant: TenantId): Promise<number> {
  return Number((await db.read(tenant, COUNT_CHUNKS, tenant))[0]?.[0])
}

export async function sweepStrays(db: Transactions, tenant: TenantId): Promise<void> {
  for (let after: readonly SqlValue[] | undefined = firstBody; after; ) {
    const { strays, next }: StrayBodies = await strayBodies(db, tenant, after)
    for (const [session, some] of Map.groupBy(strays, (stray) => stray.session)) {
      await sweepBodies(
        db,
        tenant,
        session,
        some.map(({ hash }) => hash),
      )
    }
    after = next
  }
  while (await sweepChunks(db, tenant));
}

/** Under the lock of the session: a commit that brings the same body again must not find the one that goes. */
function sweepBodies(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  hashes: readonly Buffer[],
): Promise<void> {
  return db.transact(tenant, async (tx) => {
    if (!(await lockSession(tx, tenant, sessionId))) return
    tx.send({ sql: DELETE_BODIES, values: [tenant, sessionId, bytesArray(hashes)] })
  })
}

/** False when there are none. */
async function sweepChunks(db: Transactions, tenant: TenantId): Promise<boolean> {
  const [answer] = await db.write(tenant, [{ sql: DELETE_CHUNKS, values: [tenant] }])
  return (answer as Answer).count > 0
}
