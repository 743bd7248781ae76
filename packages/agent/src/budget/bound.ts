/** The most that a model call can use: what is reserved before it starts. */
import { priceOf } from '@holdfast/core'
import type { PriceBook } from '@holdfast/protocol'

export interface Call {
  providerId: string
  model: string
  /** Counted, with a margin for miscounting. */
  promptTokens: number
  maxOutputTokens: number
}

export interface Bound {
  tokens: number
  /** Absent: the price is not known. */
  costMicrocents?: number
}

export function boundOf(call: Call, book: PriceBook | undefined, at: string): Bound {
  const tokens = call.promptTokens + call.maxOutputTokens
  const costMicrocents = book && costOf(call, book, at)
  return costMicrocents === undefined ? { tokens } : { tokens, costMicrocents }
}

/** The largest output whose bound is within what remains; undefined when even none is not. */
export function outputWithin(
  call: Call,
  remaining: { tokens?: number; costMicrocents?: number },
  book: PriceBook | undefined,
  at: string,
): number | undefined {
  const fits = (maxOutputTokens: number): boolean => {
    const { tokens, costMicrocents } = boundOf({ ...call, maxOutputTokens }, book, at)
    return (
      tokens <= (remaining.tokens ?? tokens) &&
      (costMicrocents ?? 0) <= (remaining.costMicrocents ?? Infinity)
    )
  }
  let [least, most] = [0, call.maxOutputTokens]
  if (!fits(least)) return undefined
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (fits(middle)) least = middle
    else most = middle - 1
  }
  return least
}

function costOf(
  { providerId, model, promptTokens, maxOutputTokens }: Call,
  book: PriceBook,
  at: string,
): number | undefined {
  const counts = { promptTokens, completionTokens: maxOutputTokens, cachedReadTokens: 0 }
  const costs = (written: object): (number | undefined)[] =>
    [0, maxOutputTokens].map((reasoningTokens) => {
      const way = { ...counts, cachedWriteTokens: 0, ...written, reasoningTokens }
      return priceOf({ providerId, model, ...way }, book, at)
    })
  // The whole prompt may be written to a cache, and the whole output be reasoning: the dearest of them is the bound.
  const must = [...costs({}), ...costs({ cachedWriteTokens: promptTokens })]
  // Not every provider keeps a cache for an hour.
  const may = costs({ cachedWriteTokens: promptTokens, cachedWriteHourTokens: promptTokens })
  const known = [...must, ...may].filter((cost) => cost !== undefined)
  return must.includes(undefined) ? undefined : Math.max(...known)
}
