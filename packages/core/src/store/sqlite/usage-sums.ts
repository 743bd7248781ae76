/**
 * Sums over the ledger, exact whatever their size: the engine's own `sum` fails past 2⁶³, and a driver rounds or refuses
 * what lies past 2⁵³. So the upper and the lower half of each number are added up apart.
 */
import { limitExceeded, limits } from '@holdfast/protocol'
import type { UsageTotals } from '../store.ts'
import type { Row } from './driver.ts'

const halves = (column: string) => `total(${column} >> 32), total(${column} & 4294967295)`

/** In the order that `readSums` reads. `total` gives 0 for no rows, and what it adds up here stays far below 2⁵³. */
export const SUMS = `
  count(*), ${halves('prompt_tokens')}, ${halves('completion_tokens')}, ${halves('reasoning_tokens')},
  ${halves('cached_read_tokens')}, ${halves('cached_write_tokens')}, ${halves('cost_microcents')},
  total(cost_microcents IS NULL), total(estimated)`

export function readSums(row: Row): UsageTotals {
  const [rows, ...sums] = row
  const joined = (index: number, name: keyof UsageTotals) => join(sums[2 * index], sums[2 * index + 1], name)
  return {
    rows,
    promptTokens: joined(0, 'promptTokens'),
    completionTokens: joined(1, 'completionTokens'),
    reasoningTokens: joined(2, 'reasoningTokens'),
    cachedReadTokens: joined(3, 'cachedReadTokens'),
    cachedWriteTokens: joined(4, 'cachedWriteTokens'),
    costMicrocents: joined(5, 'costMicrocents'),
    costUnknown: sums[12],
    costEstimated: sums[13],
  }
}

/** What a number does not hold is past 2⁵³, and so refused. */
function join(upper: number, lower: number, name: string): number {
  const sum = upper * 2 ** 32 + lower
  if (sum > limits.sum) throw limitExceeded('sum', sum, name)
  return sum
}
