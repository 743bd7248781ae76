/**
 * Sums over the ledger, exact or refused. `total` adds up as a double, and counts are never negative: a sum that a double
 * holds was exact at every step, and any other one ends past 2⁵³−1. The engine's `sum` would fail past 2⁶³ instead, and a
 * driver would round or refuse an integer past 2⁵³.
 */
import { limitExceeded, limits } from '@holdfast/protocol'
import type { UsageTotals } from '../store.ts'
import type { Row } from './driver.ts'

/** In the order that `readSums` reads. `total` of no rows is 0. */
export const SUMS = `
  count(*), total(prompt_tokens), total(completion_tokens), total(reasoning_tokens),
  total(cached_read_tokens), total(cached_write_tokens), total(cost_microcents),
  total(cost_microcents IS NULL), total(estimated)`

export function readSums(row: Row): UsageTotals {
  const [rows, prompt, completion, reasoning, cachedRead, cachedWrite, cost, costUnknown, costEstimated] = row
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
