/** The price list that came with this package, for stores that have no price book. */
import { type PriceList, priceBookOf } from '@holdfast/core'

/** How rows of the ledger name it. */
const publishedPricesId = 'genai-prices'

/** As it was published: no update is asked for, so nothing goes over the network. Takes a part of a second. */
export async function publishedPrices(): Promise<PriceList> {
  const { waitForUpdate } = await import('@pydantic/genai-prices')
  return { id: publishedPricesId, body: priceBookOf((await waitForUpdate()) ?? []).book }
}
