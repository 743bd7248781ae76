/** Adding up rows of the ledger: exact, or refused as `limit_exceeded` when a number does not hold the sum. */
import { addCounts } from '@holdfast/protocol'
import type { LedgerRow, UsageGrouping, UsageRow, UsageTotals } from './store.ts'

/** Sums of no rows; a new object each time, for it is handed out. */
export function noUsage(): UsageTotals {
  return {
    rows: 0,
    promptTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
    costMicrocents: 0,
    costUnknown: 0,
    costEstimated: 0,
  }
}

const names = Object.keys(noUsage()) as (keyof UsageTotals)[]

export function addTotals(a: UsageTotals, b: UsageTotals): UsageTotals {
  const sum = { ...a }
  for (const name of names) sum[name] = addCounts(a[name], b[name], name)
  return sum
}

/** What a row adds. */
export function totalsOf(row: UsageRow): UsageTotals {
  return {
    rows: 1,
    promptTokens: row.promptTokens,
    completionTokens: row.completionTokens,
    reasoningTokens: row.reasoningTokens,
    cachedReadTokens: row.cachedReadTokens,
    cachedWriteTokens: row.cachedWriteTokens,
    costMicrocents: row.costMicrocents ?? 0,
    costUnknown: row.costMicrocents === undefined ? 1 : 0,
    costEstimated: row.estimated ? 1 : 0,
  }
}

/** What a row is grouped by. */
export function keyOf(row: LedgerRow, by: readonly UsageGrouping[]): (string | undefined)[] {
  return by.map((name) => (name === 'day' ? row.at.slice(0, 'YYYY-MM-DD'.length) : row[name]))
}
