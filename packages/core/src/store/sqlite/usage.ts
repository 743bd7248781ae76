/** The ledger: rows by the session's own id, for they outlive it. Sums are added up anew each time. */
import type { HoldfastError } from '@holdfast/protocol'
import { corruptRow, crcOfRow } from '../checksum.ts'
import type { UsageRow, UsageTotals } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'

export interface UsageScope {
  sessionId?: string
  rootSessionId?: string
}

const INSERT_USAGE = `
  INSERT INTO usage (
    tenant, session_id, seq, attempt, at, run, root, owner, agent, provider, model, purpose, status,
    prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
    cost_microcents, cost_source, estimated, crc, figures
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const SELECT_USAGE = `
  SELECT seq, attempt, at, run, root, owner, agent, provider, model, purpose, status,
    prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
    cost_microcents, cost_source, estimated, crc
  FROM usage WHERE tenant = ? AND session_id = ? AND seq > ? ORDER BY seq, rowid LIMIT ?`

/** One number of all that is summed, weighted so that it differs wherever one of them does. */
const figures = `(prompt_tokens * 3 + completion_tokens * 5 + reasoning_tokens * 7 + cached_read_tokens * 11
      + cached_write_tokens * 13 + coalesce(cost_microcents, -1) * 17 + estimated * 19) % 9007199254740881`

/** The same, computed before the row is written. */
function figuresOf(row: UsageRow): number {
  const weighted = [
    [row.promptTokens, 3],
    [row.completionTokens, 5],
    [row.reasoningTokens, 7],
    [row.cachedReadTokens, 11],
    [row.cachedWriteTokens, 13],
    [row.costMicrocents ?? -1, 17],
    [row.estimated ? 1 : 0, 19],
  ] as const
  const sum = weighted.reduce((total, [figure, weight]) => total + BigInt(figure) * BigInt(weight), 0n)
  return Number(sum % 9_007_199_254_740_881n)
}

// As REAL: a sum beyond 2^53 is then rounded, where a driver would refuse to give the integer. Last: damaged rows.
const SUM_TENANT = `
  SELECT count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
    total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
    total(cost_microcents IS NULL), total(estimated), total(${figures} <> figures)
  FROM usage WHERE tenant = ?`

const SUM_SESSION = `
  SELECT count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
    total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
    total(cost_microcents IS NULL), total(estimated), total(${figures} <> figures)
  FROM usage WHERE tenant = ? AND session_id = ?`

const SUM_ROOT = `
  SELECT count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
    total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
    total(cost_microcents IS NULL), total(estimated), total(${figures} <> figures)
  FROM usage WHERE tenant = ? AND root = ?`

const SUM_SESSION_ROOT = `
  SELECT count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
    total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
    total(cost_microcents IS NULL), total(estimated), total(${figures} <> figures)
  FROM usage WHERE tenant = ? AND session_id = ? AND root = ?`

const FORGET_USER = 'UPDATE usage SET owner = NULL WHERE tenant = ? AND session_id = ? AND owner IS NOT NULL'

export function insertUsage(db: Connection, tenant: number, sessionId: string, row: UsageRow): void {
  const values = [
    tenant,
    sessionId,
    row.seq,
    row.attemptId,
    row.at,
    row.runId ?? null,
    row.rootSessionId,
    row.ownerUserId ?? null,
    row.agentId,
    row.providerId ?? null,
    row.model ?? null,
    row.purpose,
    row.status,
    row.promptTokens,
    row.completionTokens,
    row.reasoningTokens,
    row.cachedReadTokens,
    row.cachedWriteTokens,
    row.costMicrocents ?? null,
    row.costSource,
    row.estimated ? 1 : 0,
  ]
  db.run(INSERT_USAGE, ...values, crcOfUsage(values), figuresOf(row))
}

/** Without the owner, who may be forgotten. */
function crcOfUsage(values: readonly (string | number | null)[]): number {
  return crcOfRow(...values.toSpliced(ownerColumn, 1))
}

const ownerColumn = 7

export function readUsage(
  db: Connection,
  tenant: number,
  sessionId: string,
  after: number,
  limit: number,
): UsageRow[] {
  return db.all(SELECT_USAGE, tenant, sessionId, after, limit).map((row) => {
    const crc = row.pop()
    if (crc !== null && crc !== crcOfUsage([tenant, sessionId, ...row])) throw damagedLedger()
    return usageOf(row)
  })
}

function damagedLedger(): HoldfastError {
  return corruptRow('A row of the ledger')
}

function usageOf(row: Row): UsageRow {
  const [seq, attemptId, at, run, rootSessionId, owner, agentId, provider, model, purpose, status, ...sums] =
    row
  const [prompt, completion, reasoning, cachedRead, cachedWrite, cost, costSource, estimated] = sums
  return {
    attemptId,
    seq,
    at,
    runId: run ?? undefined,
    rootSessionId,
    ownerUserId: owner ?? undefined,
    agentId,
    providerId: provider ?? undefined,
    model: model ?? undefined,
    purpose,
    status,
    promptTokens: prompt,
    completionTokens: completion,
    reasoningTokens: reasoning,
    cachedReadTokens: cachedRead,
    cachedWriteTokens: cachedWrite,
    costMicrocents: cost ?? undefined,
    costSource,
    estimated: estimated === 1,
  }
}

export function sumUsage(db: Connection, tenant: number, scope: UsageScope): UsageTotals {
  const [
    rows,
    prompt,
    completion,
    reasoning,
    cachedRead,
    cachedWrite,
    cost,
    costUnknown,
    costEstimated,
    damaged,
  ] = sumRow(db, tenant, scope)
  if (damaged > 0) throw damagedLedger()
  return {
    rows,
    promptTokens: prompt,
    completionTokens: completion,
    reasoningTokens: reasoning,
    cachedReadTokens: cachedRead,
    cachedWriteTokens: cachedWrite,
    costMicrocents: cost,
    costUnknown,
    costEstimated,
  }
}

function sumRow(db: Connection, tenant: number, { sessionId, rootSessionId }: UsageScope): Row {
  const row =
    sessionId !== undefined && rootSessionId !== undefined
      ? db.get(SUM_SESSION_ROOT, tenant, sessionId, rootSessionId)
      : sessionId !== undefined
        ? db.get(SUM_SESSION, tenant, sessionId)
        : rootSessionId !== undefined
          ? db.get(SUM_ROOT, tenant, rootSessionId)
          : db.get(SUM_TENANT, tenant)
  return row ?? []
}

export function forgetUser(db: Connection, tenant: number, sessionId: string): void {
  db.run(FORGET_USER, tenant, sessionId)
}
