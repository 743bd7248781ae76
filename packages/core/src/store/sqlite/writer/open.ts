/** Opening a place whose writes have a thread of their own: first here, then there. */
import { HoldfastError } from '@holdfast/protocol'
import { openDatabase, type SqliteOptions } from '../open.ts'
import type { SqliteStoreOptions } from '../store.ts'
import { ThreadedStore } from './threaded-store.ts'

export async function openThreaded(
  path: string,
  options: SqliteOptions,
  storeOptions: SqliteStoreOptions,
): Promise<ThreadedStore> {
  const driver = sendable(path, options)
  const { clock, search } = storeOptions
  const opened = await openDatabase(path, options, { nowMs: clock() })
  const { place } = opened.db
  const store = new ThreadedStore(opened, storeOptions, {
    path: place.path,
    driver,
    durability: place.durability,
    search,
  })
  await store.start()
  return store
}

/** The driver, as another thread can find it. */
function sendable(path: string, { driver }: SqliteOptions): string | undefined {
  if (path === ':memory:')
    throw new HoldfastError(
      'invalid_input',
      "writer: a store in memory is its own thread's; name a file, or leave the writer out.",
    )
  if (driver === undefined || typeof driver === 'string') return driver
  throw new HoldfastError(
    'invalid_input',
    "driver: a constructor cannot be sent to a thread; pass import.meta.resolve('better-sqlite3').",
  )
}
