/** Segments: where the prefix of a fork is read from. A session that is no fork has none and pays for none. */
import type { TenantId } from '@holdfast/protocol'
import type { Commit, Segment } from '../store.ts'
import { int4Array, textArray } from './arrays.ts'
import type { LockedSession } from './sessions.ts'
import type { Transaction, Transactions } from './transactions.ts'

const INSERT_SEGMENTS = `
  INSERT INTO @segments (tenant, session, position, source, first, last)
  SELECT $1, $2, u.n - 1, u.source, u.first, u.last
  FROM unnest($3::text[], $4::int4[], $5::int4[]) WITH ORDINALITY AS u (source, first, last, n)`

const SELECT_SEGMENTS = `
  SELECT g.source, g.first, g.last
  FROM @sessions s JOIN @segments g ON g.tenant = s.tenant AND g.session = s.session
  WHERE s.tenant = $1 AND s.session = $2 ORDER BY g.position`

const SELECT_FORKS = `
  SELECT DISTINCT g.session FROM @segments g WHERE g.tenant = $1 AND g.source = $2 ORDER BY g.session`

/** The sources of a fork that is to be made, or undefined when one is missing, ends before its segment, or has erased since. */
export function findSources(
  locked: ReadonlyMap<string, LockedSession>,
  { segments = [] }: Commit,
): Segment[] | undefined {
  const isReadable = ({ sessionId, to, headSeq }: (typeof segments)[number]) => {
    const source = locked.get(sessionId)
    return source !== undefined && to <= source.seq && (headSeq === undefined || source.erased <= headSeq)
  }
  return segments.every(isReadable) ? [...segments] : undefined
}

export function insertSegments(
  tx: Transaction,
  tenant: TenantId,
  sessionId: string,
  sources: readonly Segment[],
): void {
  if (sources.length === 0) return
  const values = [
    tenant,
    sessionId,
    textArray(sources.map((source) => source.sessionId)),
    int4Array(sources.map(({ from }) => from)),
    int4Array(sources.map(({ to }) => to)),
  ]
  tx.send({ sql: INSERT_SEGMENTS, values })
}

export async function readSegments(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
): Promise<Segment[]> {
  const rows = await db.read(tenant, SELECT_SEGMENTS, tenant, sessionId)
  return rows.map(([source, first, last]) => ({ sessionId: source, from: Number(first), to: Number(last) }))
}

/** Sessions that are based on this one. */
export async function listForks(db: Transactions, tenant: TenantId, sessionId: string): Promise<string[]> {
  return (await db.read(tenant, SELECT_FORKS, tenant, sessionId)).map(([fork]) => fork as string)
}

export async function forksOf(tx: Transaction, tenant: TenantId, sessionId: string): Promise<string[]> {
  return (await tx.all(SELECT_FORKS, tenant, sessionId)).map(([fork]) => fork as string)
}
