/** Totals of the ledger: always the sum of its rows, failed and cut-off attempts too. */
import { addCounts, type UsageRecord } from '@holdfast/protocol'

export interface UsageTotals {
  attempts: number
  promptTokens: number
  completionTokens: number
  /** Inside `completionTokens`. */
  reasoningTokens: number
  /** Inside `promptTokens`, both. */
  cachedReadTokens: number
  cachedWriteTokens: number
  /** What was billed: prompt and completion. */
  consumedTokens: number
  /** The sum of the known costs. */
  costMicrocents: number
  costEstimated: boolean
  /** Attempts whose cost is unknown; they are not in the sum. */
  costUnknown: number
}

type Row = Pick<
  UsageRecord,
  | 'promptTokens'
  | 'completionTokens'
  | 'reasoningTokens'
  | 'cachedReadTokens'
  | 'cachedWriteTokens'
  | 'costMicrocents'
  | 'estimated'
>

export const noUsage: UsageTotals = {
  attempts: 0,
  promptTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cachedReadTokens: 0,
  cachedWriteTokens: 0,
  consumedTokens: 0,
  costMicrocents: 0,
  costEstimated: false,
  costUnknown: 0,
}

/** Throws `limit_exceeded` when a number does not hold a sum exactly. */
export function sumUsage(rows: Iterable<Row>): UsageTotals {
  let totals = noUsage
  for (const row of rows) totals = withRow(totals, row)
  return totals
}

function withRow(totals: UsageTotals, row: Row): UsageTotals {
  return {
    attempts: totals.attempts + 1,
    promptTokens: addCounts(totals.promptTokens, row.promptTokens, 'promptTokens'),
    completionTokens: addCounts(totals.completionTokens, row.completionTokens, 'completionTokens'),
    reasoningTokens: addCounts(totals.reasoningTokens, row.reasoningTokens, 'reasoningTokens'),
    cachedReadTokens: addCounts(totals.cachedReadTokens, row.cachedReadTokens, 'cachedReadTokens'),
    cachedWriteTokens: addCounts(totals.cachedWriteTokens, row.cachedWriteTokens, 'cachedWriteTokens'),
    consumedTokens: addCounts(
      totals.consumedTokens,
      row.promptTokens + row.completionTokens,
      'consumedTokens',
    ),
    costMicrocents: addCounts(totals.costMicrocents, row.costMicrocents ?? 0, 'costMicrocents'),
    costEstimated: totals.costEstimated || row.estimated,
    costUnknown: totals.costUnknown + (row.costMicrocents === undefined ? 1 : 0),
  }
}
