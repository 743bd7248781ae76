/** The ledger: rows by the session's own id, for they outlive it. Sums are added up anew each time. */
import type { TenantId } from '@holdfast/protocol'
import { lastSeqOf } from '../judge.ts'
import type { Commit, UsageRow, UsageTotals } from '../store.ts'
import { namesIn, type SumOf, sumOf, type UsageScope, usageOf } from '../usage-rows.ts'
import { int4Array } from './arrays.ts'
import { asSeq, most } from './bounds.ts'
import type { Row } from './driver.ts'
import type { Step } from './flush.ts'
import type { Transactions } from './transactions.ts'
import { readSums, SUMS } from './usage-sums.ts'

const INSERT_ROWS = `
  INSERT INTO @usage (
    tenant, session, seq, position, attempt, at, run, root, owner, agent, provider, model, purpose, status,
    prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
    cost_microcents, cost_source, price_book, estimated, cached_write_hour_tokens
  )
  SELECT $1, u.session, u.seq, u.position, u."attemptId", u.at, u."runId", u."rootSessionId", u."ownerUserId",
    u."agentId", u."providerId", u.model, u.purpose, u.status, u."promptTokens", u."completionTokens",
    u."reasoningTokens", u."cachedReadTokens", u."cachedWriteTokens", u."costMicrocents", u."costSource", u."priceBook", u.estimated,
    u."cachedWriteHourTokens"
  FROM json_to_recordset($2::json) AS u (
    session text, last int4, position int4, seq int4, "attemptId" text, at text, "runId" text,
    "rootSessionId" text, "ownerUserId" text, "agentId" text, "providerId" text, model text, purpose text, status text,
    "promptTokens" int8, "completionTokens" int8, "reasoningTokens" int8, "cachedReadTokens" int8,
    "cachedWriteTokens" int8, "costMicrocents" int8, "costSource" text, "priceBook" text, estimated bool,
    "cachedWriteHourTokens" int8
  )`

const INSERT_USAGE = `${INSERT_ROWS}
  WHERE (
    SELECT e.xmin FROM @events e WHERE e.tenant = $1 AND e.session = u.session AND e.seq = u.last
  ) = pg_current_xact_id()::xid`

const DELETE_USAGE = 'DELETE FROM @usage WHERE tenant = $1 AND session = $2 AND seq = ANY($3::int4[])'

/** In the order that `usageOf` reads. */
export const USAGE_COLUMNS = `
  seq, attempt, at, run, root, owner, agent, provider, model, purpose, status,
  prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
  cost_microcents, cost_source, price_book, estimated::int4, cached_write_hour_tokens`

const SELECT_USAGE = `
  SELECT ${USAGE_COLUMNS}
  FROM @usage WHERE tenant = $1 AND session = $2 AND seq > $3 ORDER BY seq, position LIMIT $4`

const SUMS_OF: Readonly<Record<SumOf, string>> = {
  tenant: `SELECT ${SUMS} FROM @usage WHERE tenant = $1`,
  session: `SELECT ${SUMS} FROM @usage WHERE tenant = $1 AND session = $2`,
  root: `SELECT ${SUMS} FROM @usage WHERE tenant = $1 AND root = $2`,
  'session and root': `SELECT ${SUMS} FROM @usage WHERE tenant = $1 AND session = $2 AND root = $3`,
}

export function usageStep(tenant: TenantId, commits: readonly Commit[]): Step | undefined {
  const rows = commits.flatMap((commit) =>
    commit.usage.map((row, position) => {
      return { ...row, session: commit.sessionId, last: lastSeqOf(commit), position }
    }),
  )
  return rows.length === 0 ? undefined : { sql: INSERT_USAGE, values: [tenant, JSON.stringify(rows)] }
}

/** In place of all rows of these seqs. */
export function replaceUsageSteps(
  tenant: TenantId,
  sessionId: string,
  seqs: readonly number[],
  usage: readonly UsageRow[],
): Step[] {
  const rows = usage.map((row, position) => ({ ...row, session: sessionId, position }))
  return [
    { sql: DELETE_USAGE, values: [tenant, sessionId, int4Array(seqs)] },
    { sql: INSERT_ROWS, values: [tenant, JSON.stringify(rows)] },
  ]
}

export async function readUsage(
  db: Transactions,
  tenant: TenantId,
  sessionId: string,
  after: number,
  limit: number,
): Promise<UsageRow[]> {
  const rows = await db.read(tenant, SELECT_USAGE, tenant, sessionId, asSeq(after), Math.min(limit, most))
  return rows.map(usageOf)
}

export async function sumUsage(db: Transactions, tenant: TenantId, scope: UsageScope): Promise<UsageTotals> {
  const [row] = await db.read(tenant, SUMS_OF[sumOf(scope)], tenant, ...namesIn(scope))
  return readSums(row as Row)
}
