/** Whose prices an import goes by: those of the store when it has a current book, else the list that came with this package. */
import { priceBookOf } from '@holdfast/core'
import { type PriceOf, priceBy } from '@holdfast/transcripts'
import type { Place } from '../place/place.ts'

export async function importPrices(priceBooks: Place['priceBooks']): Promise<PriceOf> {
  const current = await priceBooks.current()
  if (current) return priceBy(current.body, current.id)
  const { waitForUpdate } = await import('@pydantic/genai-prices')
  // No update was asked for, so this is the list as it was published: nothing goes over the network.
  const providers = (await waitForUpdate()) ?? []
  let price: PriceOf | undefined
  // Making the book takes a third of a second, and an import that finds nothing new needs none.
  return (usage, at) => {
    price ??= priceBy(priceBookOf(providers).book, 'genai-prices')
    return price(usage, at)
  }
}
