/**
 * Bodies that no event names. A crash cannot make them, but damage can, and a body is then all that is left of its event:
 * so bodies stay in a session of which an event is missing or has lost its own, or whose row is gone. Text whose draft is
 * gone is told, and never taken away without its session.
 */
import type { TenantId } from '@holdfast/protocol'
import { bytesArray } from './arrays.ts'
import type { SqlValue } from './driver.ts'
import { lockSession } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const SELECT_BODIES = `
  SELECT page.session, page.hash, s.session IS NOT NULL AND named.seq IS NULL AND NOT coalesce(log.is_damaged, false)
  FROM (
    SELECT session, hash FROM @bodies WHERE tenant = $1 AND (session, hash) > ($2, $3::bytea)
    ORDER BY session, hash LIMIT 500
  ) page
    LEFT JOIN @sessions s ON s.tenant = $1 AND s.session = page.session
    LEFT JOIN LATERAL (
      SELECT e.seq FROM @events e WHERE e.tenant = $1 AND e.session = page.session AND e.aside = page.hash LIMIT 1
    ) named ON true
    LEFT JOIN LATERAL (
      SELECT count(*) <> s.seq - s.base OR min(e.seq) <> s.base + 1 OR max(e.seq) <> s.seq OR bool_or(
        e.body IS NULL AND NOT EXISTS (
          SELECT 1 FROM @bodies b WHERE b.tenant = $1 AND b.session = e.session AND b.hash = e.aside
        )
      ) AS is_damaged
      FROM @events e WHERE named.seq IS NULL AND e.tenant = $1 AND e.session = page.session
    ) log ON true
  ORDER BY page.session, page.hash`

const DELETE_BODIES = `
  DELETE FROM @bodies b WHERE b.tenant = $1 AND b.session = $2 AND b.hash = ANY($3::bytea[])
    AND NOT EXISTS (SELECT 1 FROM @events e WHERE e.tenant = $1 AND e.session = $2 AND e.aside = b.hash)
    AND NOT EXISTS (
      SELECT 1 FROM @events e
      WHERE e.tenant = $1 AND e.session = $2 AND e.body IS NULL AND NOT EXISTS (
        SELECT 1 FROM @bodies own WHERE own.tenant = $1 AND own.session = $2 AND own.hash = e.aside
      )
    )`

/** Of drafts whose rows are gone, as far as the sessions are there. */
const SELECT_LOST_CHUNKS = `
  SELECT page.session, page.draft, page.chunk, d.draft IS NULL
  FROM (
    SELECT session, draft, chunk FROM @chunks
    WHERE tenant = $1 AND (session, draft, chunk) > ($2, $3, $4::int4) ORDER BY session, draft, chunk LIMIT 500
  ) page
    LEFT JOIN @drafts d ON d.tenant = $1 AND d.session = page.session AND d.draft = page.draft
  ORDER BY page.session, page.draft, page.chunk`

const SELECT_DRAFTS = `
  SELECT page.session, page.draft, s.session IS NULL AND g.session IS NULL
  FROM (
    SELECT session, draft FROM @drafts WHERE tenant = $1 AND (session, draft) > ($2, $3) ORDER BY session, draft LIMIT 500
  ) page
    LEFT JOIN @sessions s ON s.tenant = $1 AND s.session = page.session
    LEFT JOIN @garbage g ON g.tenant = $1 AND g.session = page.session
  ORDER BY page.session, page.draft`

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

interface LostDrafts {
  sessions: readonly string[]
  next?: readonly SqlValue[]
}

/** Sessions of one page of chunks, once for each chunk whose draft is gone. */
export function lostChunks(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
): Promise<LostDrafts> {
  return lostOf(db, tenant, SELECT_LOST_CHUNKS, after)
}

/** The same for drafts whose session is gone. */
export function strandedDrafts(
  db: Transactions,
  tenant: TenantId,
  after: readonly SqlValue[],
): Promise<LostDrafts> {
  return lostOf(db, tenant, SELECT_DRAFTS, after)
}

async function lostOf(
  db: Transactions,
  tenant: TenantId,
  sql: string,
  after: readonly SqlValue[],
): Promise<LostDrafts> {
  const rows = await db.read(tenant, sql, tenant, ...after)
  const sessions = rows.filter((row) => row.at(-1) === 't').map(([session]) => session as string)
  const next = rows.at(-1)?.slice(0, after.length)
  return { sessions, ...(next && { next }) }
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
