/** The writer thread: a handle of its own on the file, which waits for the disk so that the main thread need not. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Store } from '@holdfast/core'
import { type SqliteOptions, sqlite } from '@holdfast/core/sqlite'
import { type Asked, copied, copiedOutcomes, type Told } from './messages.ts'

export interface ThreadData {
  path: string
  options: Omit<SqliteOptions, 'driver'>
  nowMs: number
}

const { path, options, nowMs } = workerData as ThreadData
let now = nowMs
const store = await sqlite(path, options).open({ clock: () => now })
const stopWatching = store.onForeignWrite(() => tell({ type: 'foreign write' }))

parentPort?.on('message', async (asked: Asked) => {
  const { id } = asked
  now = asked.nowMs
  try {
    tell({ type: 'done', id, value: await answered(asked) })
  } catch (error) {
    tell({ type: 'failed', id, error: copied(error) })
  }
  if (asked.call === 'close') parentPort?.close()
})
tell({ type: 'opened' })

async function answered({ call, args }: Asked): Promise<unknown> {
  if (call === 'close') return close()
  if (call === 'commit') return copiedOutcomes(await store.commit(...(args as Parameters<Store['commit']>)))
  return (store[call] as (...args: readonly unknown[]) => unknown).call(store, ...args)
}

function close(): Promise<void> {
  stopWatching()
  return store.close()
}

function tell(told: Told): void {
  parentPort?.postMessage(told)
}
