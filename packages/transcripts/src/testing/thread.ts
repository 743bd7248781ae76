/** A thread that helps an import into the store at the path it is given. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { openHoldfast } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { helpImport } from '../helper.ts'

const holdfast = await openHoldfast({ store: sqlite(workerData as string) })
await helpImport(holdfast, parentPort as MessagePort)
await holdfast.close()
