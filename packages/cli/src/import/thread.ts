/** A thread of `holdfast import`: opens the same store and imports the files that it is given. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { helpImport } from '@holdfast/transcripts'
import { openStore } from '../place/open-store.ts'
import { importPrices } from './prices.ts'
import type { ThreadData } from './threads.ts'

/** A session that was imported is not written to again. */
const idleSessions = 16

const { settings, isPriced } = workerData as ThreadData
const holdfast = await openStore(settings, { create: true, idleSessions })
try {
  const prices = isPriced ? { price: await importPrices(holdfast.priceBooks) } : {}
  await helpImport(holdfast, parentPort as MessagePort, prices)
} finally {
  await holdfast.close()
}
