/**
 * Sums over the ledger, exact or refused. `total` adds up as a double, and counts are never negative: a sum that a double
 * holds was exact at every step, and any other one ends past 2⁵³−1. The engine's `sum` would fail past 2⁶³ instead, and a
 * driver would round or refuse an integer past 2⁵³.
 */
import { limitExceeded, limits } from '@holdfast/protocol'
import { corruptRow } from '../checksum.ts'
import type { UsageRow, UsageTotals } from '../store.ts'
import type { Row } from './driver.ts'

/** One number of all that is summed, weighted so that it differs wherever one of them does. */
const FIGURES = `(prompt_tokens * 3 + completion_tokens * 5 + reasoning_tokens * 7 + cached_read_tokens * 11
    + cached_write_tokens * 13 + coalesce(cost_microcents, -1) * 17 + estimated * 19) % 9007199254740881`

/** The same, computed before the row is written. */
export function figuresOf(row: UsageRow): number {
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

/** In the order that `readSums` reads. `total` of no rows is 0. Last: the rows whose figures are not those that were written. */
export const SUMS = `
  count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
  total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
  total(cost_microcents IS NULL), total(estimated), total(${FIGURES} IS NOT figures)`

export function readSums(row: Row): UsageTotals {
  const [rows, prompt, completion, reasoning, cachedRead, cachedWrite, cost, ...counts] = row
  const [costUnknown, costEstimated, damaged] = counts
  if (damaged > 0) throw corruptRow('A row of the ledger')
  return {
    rows,
    promptTokens: exact(prompt, 'promptTokens'),
    completionTokens: exact(completion, 'completionTokens'),
    reasoningTokens: exact(reasoning, 'reasoningTokens'),
    cachedReadTokens: exact(cachedRead, 'cachedReadTokens'),
    cachedWriteTokens: exact(cachedWrite, 'cachedWriteTokens'),
    costMicrocents: exact(cost, 'costMicrocents'),
    costUnknown,
    costEstimated,
  }
}

function exact(sum: number, name: string): number {
  if (sum > limits.sum) throw limitExceeded('sum', sum, name)
  return sum
}
