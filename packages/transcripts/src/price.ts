/** What an imported call cost. Transcripts tell tokens and seldom prices, so the caller says whose prices hold. */
import { rate } from '@holdfast/core'
import type { PriceBook, UsageRecord } from '@holdfast/protocol'

/** The row with its cost; as it is when nobody knows the price. `at` is when the call was made. */
export type PriceOf = (usage: UsageRecord, at: string | undefined) => UsageRecord

/** Prices by a book; `name` is what the ledger says about where the price comes from. */
export function priceBy(book: PriceBook, name: string): PriceOf {
  return (usage, at) => {
    const cost = rate(usage, book, at)
    return { ...usage, ...cost, ...(cost.costSource === 'price_book' && { priceBook: name }) }
  }
}
