/** The price list that came with this package, for stores that have no price book. */
import { type GenaiProvider, type PriceList, priceBookOf } from '@holdfast/core'
import type { PriceBook } from '@holdfast/protocol'

/** How rows of the ledger name it. */
export const publishedPricesId = 'genai-prices'

export async function publishedPrices(): Promise<PriceList> {
  return { id: publishedPricesId, body: publishedBook(await publishedProviders()) }
}

/** As it was published: no update is asked for, so nothing goes over the network. */
export async function publishedProviders(): Promise<readonly GenaiProvider[]> {
  const { waitForUpdate } = await import('@pydantic/genai-prices')
  return (await waitForUpdate()) ?? []
}

/** Takes a part of a second. */
export function publishedBook(providers: readonly GenaiProvider[]): PriceBook {
  return priceBookOf(providers).book
}
