/** A small price list for transcripts that carry no price. What it does not hold has an unknown price, not none. */
import { priceOf } from '@holdfast/core'
import type { PriceBook } from '@holdfast/protocol'
import type { PricedCall, PriceOf } from './claude-code/usage.ts'
import list from './prices.json' with { type: 'json' }

const book: PriceBook = { prices: list.prices }

export const listPrice: PriceOf = (call: PricedCall) => {
  const costMicrocents = priceOf({ ...call, model: withoutDate(call.model) }, book)
  if (costMicrocents === undefined) return { costSource: 'unknown' }
  return { costMicrocents, costSource: 'price_book', priceBook: list.name }
}

/** `claude-opus-4-5-20251101` is priced as `claude-opus-4-5`. */
function withoutDate(model: string | undefined): string | undefined {
  return model?.replace(/-\d{8}$/, '')
}
