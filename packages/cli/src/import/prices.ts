/** Whose prices an import goes by: those of the store when it has a current book, else the list that came with this package. */
import { type PriceOf, priceBy } from '@holdfast/transcripts'
import type { Place } from '../place/place.ts'
import { publishedBook, publishedPricesId, publishedProviders } from '../place/published-prices.ts'

export async function importPrices(priceBooks: Place['priceBooks']): Promise<PriceOf> {
  const current = await priceBooks.current()
  if (current) return priceBy(current.body, current.id)
  const providers = await publishedProviders()
  let price: PriceOf | undefined
  // Making the book takes a part of a second, and an import that finds nothing new needs none.
  return (usage, at) => {
    price ??= priceBy(publishedBook(providers), publishedPricesId)
    return price(usage, at)
  }
}
