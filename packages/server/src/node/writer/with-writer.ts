/**
 * A SQLite file whose writes are made by a thread of their own. Reads stay here, on a handle that only reads: what was
 * acknowledged is in the file, so they see it. The few writes that carry a function are made here.
 */
import type { Store, StoreFactory } from '@holdfast/core'
import { type SqliteOptions, sqlite } from '@holdfast/core/sqlite'
import { Writer } from './writer.ts'

export function sqliteWithWriter(path: string, options: Omit<SqliteOptions, 'driver'> = {}): StoreFactory {
  const place = sqlite(path, options)
  if (path === ':memory:') return place
  return {
    async open({ clock = Date.now }) {
      const store = await place.open({ clock })
      try {
        return withWriter(store, await Writer.start({ path, options }, clock))
      } catch (error) {
        await store.close()
        throw error
      }
    },
  }
}

function withWriter(store: Store, writer: Writer): Store {
  const here = { commit: store.commit.bind(store), close: store.close.bind(store) }
  const there: Partial<Store> = {
    commit: (commits) => (commits.some(({ erase }) => erase) ? here.commit(commits) : writer.commit(commits)),
    renewLease: (...args) => writer.call('renewLease', ...args),
    appendDraft: (...args) => writer.call('appendDraft', ...args),
    putCheckpoint: (...args) => writer.call('putCheckpoint', ...args),
    putRecord: (...args) => writer.call('putRecord', ...args),
    deleteSession: (...args) => writer.call('deleteSession', ...args),
    sweepKeys: (...args) => writer.call('sweepKeys', ...args),
    rebuild: (...args) => writer.call('rebuild', ...args),
    resetIndex: () => writer.call('resetIndex'),
    onForeignWrite: (listener) => writer.onForeignWrite(listener),
    async close() {
      await writer.close()
      await here.close()
    },
  }
  return Object.assign(store, there)
}
