/** Whose prices an import goes by: those of the store when it has a current book, else the list that came with this package. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { PriceList } from '@holdfast/core'
import type { Place } from '../place/place.ts'

export async function importPrices(priceBooks: Place['priceBooks']): Promise<PriceList> {
  const current = await priceBooks.current()
  return current ? { id: current.id, body: current.body } : publishedPrices()
}

/** From a thread, which is gone with what it took to make them. */
async function publishedPrices(): Promise<PriceList> {
  const [list] = await once(new Worker(new URL(import.meta.resolve('#prices-thread'))), 'message')
  return list as PriceList
}
