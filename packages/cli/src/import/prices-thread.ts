/** A thread that makes the published prices into a book: their module takes 14 MB for as long as it is loaded. */
import { parentPort } from 'node:worker_threads'
import { publishedPrices } from '../place/published-prices.ts'

parentPort?.postMessage(await publishedPrices())
