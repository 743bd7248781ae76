/** Whose prices an import goes by: those of the store when it has a current book, else the list that came with this package. */
import { Worker } from 'node:worker_threads'
import type { PriceList } from '@holdfast/core'
import { type PriceOf, priceBy } from '@holdfast/transcripts'
import type { Place } from '../place/place.ts'

export async function importPrices(priceBooks: Place['priceBooks']): Promise<PriceList> {
  const current = await priceBooks.current()
  if (current) return { id: current.id, body: current.body }
  return toldBy(new Worker(new URL(import.meta.resolve('#prices-thread'))))
}

/** Without prices a call stays as its transcript tells it. */
export function pricedBy(prices: PriceList | undefined): PriceOf {
  return prices ? priceBy(prices.body, prices.id) : (usage) => usage
}

/** The thread is gone then with what it took to make the list. Rejects when it ends without a word. */
export function toldBy(thread: Worker): Promise<PriceList> {
  return new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', (code) => reject(new Error(`the thread of the published prices ended with ${code}`)))
  })
}
