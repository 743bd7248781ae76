/** A small price list for transcripts that carry no price. What it does not hold has an unknown price, not none. */
import type { PriceBook } from '@holdfast/protocol'
import { type PriceOf, priceBy } from '@holdfast/transcripts'
import list from './prices.json' with { type: 'json' }

const book: PriceBook = { prices: list.prices }
const byBook = priceBy(book, list.name)

/** `claude-opus-4-5-20251101` is priced as `claude-opus-4-5`. */
export const listPrice: PriceOf = (usage, at) => {
  const { model } = usage
  if (model === undefined) return byBook(usage, at)
  return { ...byBook({ ...usage, model: model.replace(/-\d{8}$/, '') }, at), model }
}
