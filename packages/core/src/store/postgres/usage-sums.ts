/** Sums over the ledger, exact or refused: Postgres adds up without a bound, and a number holds no more than 2⁵³−1. */
import { limitExceeded, limits } from '@holdfast/protocol'
import type { UsageTotals } from '../store.ts'
import type { Row } from './driver.ts'

/** In the order that `readSums` reads. */
export const SUMS = `
  count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(reasoning_tokens), 0),
  coalesce(sum(cached_read_tokens), 0), coalesce(sum(cached_write_tokens), 0), coalesce(sum(cost_microcents), 0),
  count(*) FILTER (WHERE cost_microcents IS NULL), count(*) FILTER (WHERE estimated)`

export function readSums(row: Row): UsageTotals {
  const [rows, prompt, completion, reasoning, cachedRead, cachedWrite, cost, costUnknown, costEstimated] = row
  return {
    rows: Number(rows),
    promptTokens: exact(prompt, 'promptTokens'),
    completionTokens: exact(completion, 'completionTokens'),
    reasoningTokens: exact(reasoning, 'reasoningTokens'),
    cachedReadTokens: exact(cachedRead, 'cachedReadTokens'),
    cachedWriteTokens: exact(cachedWrite, 'cachedWriteTokens'),
    costMicrocents: exact(cost, 'costMicrocents'),
    costUnknown: Number(costUnknown),
    costEstimated: Number(costEstimated),
  }
}

/** Every number past the bound is also read as one past it. */
function exact(text: string, name: string): number {
  const sum = Number(text)
  if (sum > limits.sum) throw limitExceeded('sum', sum, name)
  return sum
}
