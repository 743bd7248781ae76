/** Whose prices an import goes by: those of the store when it has a current book, else the list that came with this package. */
import { type Holdfast, priceBookOf } from '@holdfast/core'
import { type PriceOf, priceBy } from '@holdfast/transcripts'

export async function importPrices(holdfast: Holdfast): Promise<PriceOf> {
  const current = await holdfast.priceBooks.current()
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
