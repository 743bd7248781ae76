/** Refs: from a chosen id to the events that carry it. */
import type { TenantId } from '@holdfast/protocol'
import { lastSeqOf } from '../judge.ts'
import type { Commit, RefRow } from '../store.ts'
import { int4Array, textArray } from './arrays.ts'
import { asSeq } from './bounds.ts'
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

// A deleted session's refs stay until they are swept.
const SELECT_BETWEEN = `
  SELECT r.kind, r.id, r.seq
  FROM @sessions s JOIN @refs r ON r.tenant = s.tenant AND r.session = s.session
  WHERE s.tenant = $1 AND s.session = $2 AND r.kind <> 'draft' AND r.seq BETWEEN $3 AND $4`

const ADD_REFS = `
  INSERT INTO @refs (tenant, session, kind, id, seq)
  SELECT $1, $2, u.kind, u.id, u.seq FROM unnest($3::text[], $4::text[], $5::int4[]) AS u (kind, id, seq)
  ON CONFLICT DO NOTHING`

const DELETE_REFS = `
  DELETE FROM @refs r USING unnest($3::text[], $4::text[], $5::int4[]) AS u (kind, id, seq)
  WHERE r.tenant = $1 AND r.session = $2 AND r.kind = u.kind AND r.id = u.id AND r.seq = u.seq`

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

/** All own refs are looked at, whatever the range: no index is by seq. */
export async function listRefs(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  from: number,
  through: number,
): Promise<RefRow[]> {
  const rows = await db.read(tenant, SELECT_BETWEEN, tenant, sessionId, asSeq(from), asSeq(through))
  return rows.map(([kind, id, seq]) => ({ kind, id, seq: Number(seq) }))
}

export function addRefsStep(tenant: TenantId, sessionId: string, refs: readonly RefRow[]): Step {
  return { sql: ADD_REFS, values: [tenant, sessionId, ...columnsOf(refs)] }
}

export function deleteRefsStep(tenant: TenantId, sessionId: string, refs: readonly RefRow[]): Step {
  return { sql: DELETE_REFS, values: [tenant, sessionId, ...columnsOf(refs)] }
}

function columnsOf(refs: readonly RefRow[]): Buffer[] {
  return [
    textArray(refs.map(({ kind }) => kind)),
    textArray(refs.map(({ id }) => id)),
    int4Array(refs.map(({ seq }) => seq)),
  ]
}
