/** A thread of `holdfast import`: opens the same store and imports the files that it is given. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { helpImport } from '@holdfast/transcripts'
import { openStore } from '../place/open-store.ts'
import { pricedBy } from './prices.ts'
import type { ThreadData } from './threads.ts'

/** A session that was imported is not written to again. */
const idleSessions = 16

const { settings, prices } = workerData as ThreadData
const holdfast = await openStore(settings, { create: true, idleSessions })
try {
  await helpImport(holdfast, parentPort as MessagePort, { price: pricedBy(prices) })
} finally {
  await holdfast.close()
}
