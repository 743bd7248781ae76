/** The ledger: rows by the session's own id, for they outlive it. Sums are added up anew each time. */
import { corrupt, crcOfRow, isChecksum } from '../checksum.ts'
import type { UsageRow, UsageTotals } from '../store.ts'
import { namesIn, type SumOf, sumOf, type UsageScope, usageOf } from '../usage-rows.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import { figuresOf, readSums, SUMS } from './usage-sums.ts'

const INSERT_USAGE = `
  INSERT INTO usage (
    tenant, session_id, seq, attempt, at, run, root, owner, agent, provider, model, purpose, status,
    prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
    cost_microcents, cost_source, price_book, estimated, cached_write_hour_tokens, figures, crc
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** In the order that `wholeUsage` reads. */
export const USAGE_COLUMNS = `
  seq, attempt, at, run, root, owner, agent, provider, model, purpose, status,
  prompt_tokens, completion_tokens, reasoning_tokens, cached_read_tokens, cached_write_tokens,
  cost_microcents, cost_source, price_book, estimated, cached_write_hour_tokens, figures, crc`

const SELECT_USAGE = `
  SELECT ${USAGE_COLUMNS}
  FROM usage WHERE tenant = ? AND session_id = ? AND seq > ? ORDER BY seq, rowid LIMIT ?`

const SUMS_OF: Readonly<Record<SumOf, string>> = {
  tenant: `SELECT ${SUMS} FROM usage INDEXED BY usage_at WHERE tenant = ?`,
  session: `SELECT ${SUMS} FROM usage WHERE tenant = ? AND session_id = ?`,
  root: `SELECT ${SUMS} FROM usage WHERE tenant = ? AND root = ?`,
  'session and root': `SELECT ${SUMS} FROM usage WHERE tenant = ? AND session_id = ? AND root = ?`,
}

const SELECT_OWNED = `
  SELECT rowid, ${USAGE_COLUMNS} FROM usage WHERE tenant = ? AND session_id = ? AND owner IS NOT NULL`

const FORGET_OWNER = 'UPDATE usage SET owner = NULL, crc = ? WHERE rowid = ?'

const DELETE_USAGE = 'DELETE FROM usage WHERE tenant = ? AND session_id = ? AND seq = ?'

export function insertUsage(db: Connection, tenant: number, sessionId: string, row: UsageRow): void {
  const values = [
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
    row.priceBook ?? null,
    row.estimated ? 1 : 0,
    row.cachedWriteHourTokens ?? null,
    figuresOf(row),
  ]
  db.run(INSERT_USAGE, tenant, sessionId, ...values, crcOfUsage(tenant, sessionId, values))
}

/** Of the values of `USAGE_COLUMNS` before it. A row without writes for an hour has the checksum that it had before there were any. */
function crcOfUsage(tenant: number, sessionId: string, values: Row): number {
  const told = values[hourColumn] === null ? values.toSpliced(hourColumn, 1) : values
  return crcOfRow(tenant, sessionId, ...told)
}

export function readUsage(
  db: Connection,
  tenant: number,
  sessionId: string,
  after: number,
  limit: number,
): UsageRow[] {
  return db
    .all(SELECT_USAGE, tenant, sessionId, after, limit)
    .map((row) => wholeUsage(tenant, sessionId, row))
}

/** From a row of `USAGE_COLUMNS`. Throws when it fails its checksum. */
export function wholeUsage(tenant: number, sessionId: string, row: Row): UsageRow {
  const [crc] = row.slice(-1)
  const [seq] = row
  if (!isChecksum(crc, crcOfUsage(tenant, sessionId, row.slice(0, -1))))
    throw corrupt('A row of the ledger', sessionId, { seq })
  return usageOf(row)
}

export function sumUsage(db: Connection, tenant: number, scope: UsageScope): UsageTotals {
  return readSums(db.get(SUMS_OF[sumOf(scope)], tenant, ...namesIn(scope)) ?? [])
}

/** A row that fails its checksum goes on failing it. */
export function forgetUser(db: Connection, tenant: number, sessionId: string): void {
  for (const [rowid, ...row] of db.all(SELECT_OWNED, tenant, sessionId)) {
    const crc = row.at(-1)
    const values = row.slice(0, -1)
    const isWhole = crc === crcOfUsage(tenant, sessionId, values)
    const forgotten = crcOfUsage(tenant, sessionId, values.with(ownerColumn, null))
    db.run(FORGET_OWNER, isWhole ? forgotten : crc, rowid)
  }
}

/** Among `USAGE_COLUMNS`. */
const ownerColumn = 5
const hourColumn = 20

export function deleteUsage(db: Connection, tenant: number, sessionId: string, seq: number): void {
  db.run(DELETE_USAGE, tenant, sessionId, seq)
}
