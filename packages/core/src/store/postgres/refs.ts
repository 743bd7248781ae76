/** Refs: from a chosen id to the events that carry it. */
import type { TenantId } from '@holdfast/protocol'
import { lastSeqOf } from '../judge.ts'
import type { Commit } from '../store.ts'
import { int4Array, textArray } from './arrays.ts'
import type { Step } from './flush.ts'
import { marksOf } from './sessions.ts'
import type { Transactions } from './transactions.ts'

const INSERT_REFS = `
  INSERT INTO @refs (tenant, session, kind, id, seq)
  SELECT $1, u.session, u.kind, u.id, u.at_seq
  FROM unnest($2::text[], $3::int4[], $4::text[], $5::text[], $6::int4[])
    AS u (session, seq, kind, id, at_seq)
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid
  ON CONFLICT DO NOTHING`

const SELECT_REFS = `
  WITH own AS (SELECT base, seq FROM @sessions WHERE tenant = $1 AND session = $2),
  stretches AS (
    SELECT source, first, last FROM @segments WHERE tenant = $1 AND session = $2
    UNION ALL SELECT $2, base + 1, seq FROM own
  )
  SELECT r.seq FROM own, stretches, LATERAL (
    SELECT seq FROM @refs WHERE tenant = $1 AND session = stretches.source AND kind = $3 AND id = $4
      AND seq BETWEEN stretches.first AND stretches.last OFFSET 0
  ) r
  ORDER BY r.seq`

/** A dropped draft leaves a ref, so that no chunk of it is taken any more, also when none has come yet. */
export function refsStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const rows = commits.flatMap((commit) => {
    const drafts = commit.dropDrafts.map((id) => ({ kind: 'draft', id, seq: lastSeqOf(commit) }))
    return [...commit.refs, ...drafts].map((ref) => ({ commit, ref }))
  })
  if (rows.length === 0) return undefined
  const values = [
    tenant,
    ...marksOf(rows.map(({ commit }) => commit)),
    textArray(rows.map(({ ref }) => ref.kind)),
    textArray(rows.map(({ ref }) => ref.id)),
    int4Array(rows.map(({ ref }) => ref.seq)),
  ]
  return { sql: INSERT_REFS, values }
}

export async function readRefs(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  kind: string,
  id: string,
): Promise<number[]> {
  return (await db.read(tenant, SELECT_REFS, tenant, sessionId, kind, id)).map(([seq]) => Number(seq))
}
