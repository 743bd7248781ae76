/**
 * The SQLite store: one file, or `:memory:`. Several processes may have the file open; each commit is on disk when it
 * resolves.
 */
import { systemClock } from '../clock.ts'
import type { StoreFactory } from '../store.ts'
import { openDatabase, type SqliteOptions } from './open.ts'
import { SqliteStore } from './store.ts'
import { openThreaded } from './writer/open.ts'

export { backUpSqlite } from './backup.ts'
export type { BetterDatabase, BetterSqlite, BetterStatement } from './driver.ts'
export type { SqliteOptions } from './open.ts'
export type { Durability } from './settings.ts'

/** Names a place. Each `open` of a file gives another handle on it; each `open` of `:memory:` a new, empty one. */
export function sqlite(path: string, options: SqliteOptions = {}): StoreFactory {
  return {
    async open({ clock = systemClock }) {
      const { search = true, writer = 'caller' } = options
      if (writer === 'thread') return openThreaded(path, options, { clock, search })
      const opened = await openDatabase(path, options, { nowMs: clock() })
      return new SqliteStore(opened, { clock, search })
    },
  }
}
