/** Drafts: the chunks of an answer while it is being written, each durable before it is shown. */
import type { TenantId } from '@holdfast/protocol'
import type { Commit, DraftOutcome, DraftWrite, OpenDraft, StoredChunk } from '../store.ts'
import { textArray } from './arrays.ts'
import { most } from './bounds.ts'
import type { Answer, Step } from './flush.ts'
import { marksOf } from './sessions.ts'
import type { Transaction, Transactions } from './transactions.ts'

// A commit and another chunk wait for it, and it for them: what comes after sees what they have closed or written.
const LOCK_LEASE =
  'SELECT epoch, lease_owner FROM @sessions WHERE tenant = $1 AND session = $2 FOR NO KEY UPDATE'

const SELECT_DRAFT = `
  SELECT (SELECT last FROM @drafts WHERE tenant = $1 AND session = $2 AND draft = $3),
    EXISTS (SELECT 1 FROM @refs WHERE tenant = $1 AND session = $2 AND kind = 'draft' AND id = $3)`

const INSERT_CHUNKS = `
  WITH held AS (
    SELECT 1 FROM @sessions WHERE tenant = $1 AND session = $2 AND epoch = $5 AND lease_owner IS NOT NULL
  ), opened AS (
    INSERT INTO @drafts (tenant, session, draft, run, epoch, last)
    SELECT $1, $2, $3, $4, $5, $7 FROM held
    WHERE $6::int4 = 1
      AND NOT EXISTS (SELECT 1 FROM @drafts WHERE tenant = $1 AND session = $2 AND draft = $3)
      AND NOT EXISTS (SELECT 1 FROM @refs WHERE tenant = $1 AND session = $2 AND kind = 'draft' AND id = $3)
    RETURNING 1
  ), moved AS (
    UPDATE @drafts SET last = $7 FROM held WHERE tenant = $1 AND session = $2 AND draft = $3 AND last = $6::int4 - 1
    RETURNING 1
  )
  INSERT INTO @chunks (tenant, session, draft, chunk, kind, text)
  SELECT $1, $2, $3, $6::int4 - 1 + u.n, u.kind, u.text
  FROM unnest($8::text[], $9::text[]) WITH ORDINALITY AS u (kind, text, n)
  WHERE EXISTS (SELECT 1 FROM opened UNION ALL SELECT 1 FROM moved)`

const SELECT_CHUNKS = `
  SELECT c.chunk, c.kind, c.text
  FROM @sessions s
    JOIN @drafts d ON d.tenant = s.tenant AND d.session = s.session
    JOIN @chunks c ON c.tenant = d.tenant AND c.session = d.session AND c.draft = d.draft
  WHERE s.tenant = $1 AND s.session = $2 AND d.draft = $3 AND c.chunk > $4 ORDER BY c.chunk`

const LIST_DRAFTS = `
  SELECT d.draft, d.run, d.epoch, d.last
  FROM @sessions s JOIN @drafts d ON d.tenant = s.tenant AND d.session = s.session
  WHERE s.tenant = $1 AND s.session = $2 ORDER BY d.draft`

const DROP_CHUNKS = `
  DELETE FROM @chunks c USING unnest($2::text[], $3::int4[], $4::text[]) AS u (session, seq, draft)
  WHERE c.tenant = $1 AND c.session = ANY($2::text[]) AND c.session = u.session AND c.draft = u.draft AND (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid`

const DROP_DRAFTS = `
  DELETE FROM @drafts d USING unnest($2::text[], $3::int4[], $4::text[]) AS u (session, seq, draft)
  WHERE d.tenant = $1 AND d.session = ANY($2::text[]) AND d.session = u.session AND d.draft = u.draft AND (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.seq
  ) = pg_current_xact_id()::xid`

const DROP_ALL_CHUNKS = 'DELETE FROM @chunks WHERE tenant = $1 AND session = $2'
const DROP_ALL_DRAFTS = 'DELETE FROM @drafts WHERE tenant = $1 AND session = $2'

/** One flush: the statement that writes looks again at what the ones before it tell us. */
export async function appendDraft(db: Transactions, write: DraftWrite): Promise<DraftOutcome> {
  const { tenantId, sessionId, draftId, runId, epoch, first, chunks } = write
  const named = [tenantId, sessionId, draftId]
  const [locked, draft] = (await db.write(tenantId, [
    { sql: LOCK_LEASE, values: [tenantId, sessionId] },
    { sql: SELECT_DRAFT, values: named },
    {
      sql: INSERT_CHUNKS,
      values: [
        ...named,
        runId,
        epoch,
        first,
        first - 1 + chunks.length,
        textArray(chunks.map(({ kind }) => kind)),
        textArray(chunks.map(({ text }) => asJson(text))),
      ],
    },
  ])) as [Answer, Answer]
  return outcomeOf(write, locked, draft)
}

function outcomeOf({ epoch, first }: DraftWrite, locked: Answer, draft: Answer): DraftOutcome {
  const [leaseEpoch, owner] = locked.rows[0] ?? [0, null]
  if (owner === null || Number(leaseEpoch) !== epoch) return { status: 'fenced', epoch: Number(leaseEpoch) }
  const [last, isClosed] = draft.rows[0] ?? [null, 'f']
  if (last === null && isClosed === 't') return { status: 'closed' }
  if (first !== Number(last ?? 0) + 1) return { status: 'gap', last: Number(last ?? 0) }
  return { status: 'written' }
}

export async function readDraft(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  draftId: string,
  afterChunk: number,
): Promise<StoredChunk[]> {
  const rows = await db.read(tenant, SELECT_CHUNKS, tenant, sessionId, draftId, Math.min(afterChunk, most))
  return rows.map(([chunk, kind, text]) => ({ chunk: Number(chunk), kind, text: JSON.parse(text) }))
}

export async function listDrafts(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
): Promise<OpenDraft[]> {
  return (await db.read(tenant, LIST_DRAFTS, tenant, sessionId)).map(([draftId, runId, epoch, last]) => {
    return { draftId, runId, epoch: Number(epoch), last: Number(last) }
  })
}

/** Drafts that end with commits that were written; the refs that close them are written by `refsStep`. */
export function draftSteps(tenant: TenantId, commits: readonly Commit[]): Step[] {
  const rows = commits.flatMap((commit) => commit.dropDrafts.map((draft) => ({ commit, draft })))
  if (rows.length === 0) return []
  const marks = marksOf(rows.map(({ commit }) => commit))
  const values = [tenant, ...marks, textArray(rows.map(({ draft }) => draft))]
  return [
    { sql: DROP_CHUNKS, values },
    { sql: DROP_DRAFTS, values },
  ]
}

export function dropAllDrafts(tx: Transaction, tenant: TenantId, sessionId: string): void {
  tx.send({ sql: DROP_ALL_CHUNKS, values: [tenant, sessionId] })
  tx.send({ sql: DROP_ALL_DRAFTS, values: [tenant, sessionId] })
}

/** Text of Postgres holds no NUL; JSON text needs none. */
function asJson(text: string): string {
  return JSON.stringify(text)
}
