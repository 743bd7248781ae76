/** The stores that several processes may share, by name: what a proof may be run on. */
import { join } from 'node:path'
import type { StoreFactory } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'

const stores: Record<string, (folder: string) => StoreFactory> = {
  sqlite: (folder) => sqlite(join(folder, 'holdfast.db')),
  /** The same, but a power cut may take the last commits: for proofs that are not about power. */
  'sqlite-normal': (folder) => sqlite(join(folder, 'holdfast.db'), { durability: 'normal' }),
}

/** `folder` is a place of its own. */
export function storeIn(folder: string, name: string): StoreFactory {
  const store = stores[name]
  if (!store) throw new Error(`--store is one of ${Object.keys(stores).join(' ')}, not ${name}`)
  return store(folder)
}
