/**
 * The writer thread: the store as it is, on a connection of its own. Everything that arrived while a transaction was being
 * written is taken at once, and shares the next one.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { openDatabase } from '../open.ts'
import { SqliteStore } from '../store.ts'
import type { Call, Told, WriterPlace } from './messages.ts'
import { type PackedCommits, packOutcomes, unpackCommits } from './pack-commits.ts'
import { packError } from './pack-errors.ts'

/** What the thread is started with. */
export interface WriterData {
  place: WriterPlace
  nowMs: number
}

const port = parentPort as MessagePort
const { place, ...started } = workerData as WriterData
/** As the last call told it. */
let { nowMs } = started
/** Told with the next answer: a message of their own would cost more than they tell. */
const syncsMs: number[] = []

try {
  serve(await open())
} catch (error) {
  tell({ told: 'not opened', error: packError(error) })
}

async function open(): Promise<SqliteStore> {
  const { path, driver, durability, search } = place
  const opened = await openDatabase(path, { durability, ...(driver && { driver }) }, { nowMs })
  return new SqliteStore(opened, { clock: () => nowMs, search })
}

function serve(store: SqliteStore): void {
  store.onForeignWrite(() => tell({ told: 'foreign write' }))
  store.onSync((tookMs) => syncsMs.push(tookMs))
  port.on('message', (first: Call) => {
    for (let call: Call | undefined = first; call; call = receiveMessageOnPort(port)?.message) {
      nowMs = call.nowMs
      void answer(store, call)
    }
  })
  tell({ told: 'opened' })
}

async function answer(store: SqliteStore, { id, work, args }: Call): Promise<void> {
  try {
    const result = await perform(store, work, args)
    tell({ told: 'done', id, result, syncsMs: syncsMs.splice(0) })
  } catch (error) {
    tell({ told: 'failed', id, error: packError(error) })
  }
  if (work === 'close') port.close()
}

function perform(store: SqliteStore, work: Call['work'], args: readonly unknown[]): Promise<unknown> {
  if (work === 'commit') return store.commit(unpackCommits(args[0] as PackedCommits)).then(packOutcomes)
  const method = store[work] as (...args: readonly unknown[]) => Promise<unknown>
  return method.apply(store, args as unknown[])
}

function tell(told: Told): void {
  port.postMessage(told)
}
