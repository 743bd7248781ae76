/** Places on SQLite for the store's conformance cases. */
import { rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StoreFixture } from '../../conformance/index.ts'
import type { Store } from '../../store.ts'
import { type BetterSqlite, type SqliteOptions, sqlite } from '../index.ts'
import { TemporaryPlace } from '../temporary.ts'

export function fileFixture(
  library: string,
  options: SqliteOptions,
  Library: BetterSqlite | typeof DatabaseSync = DatabaseSync,
): StoreFixture {
  return {
    name: `sqlite file, ${library}`,
    async open({ clock }) {
      const place = new TemporaryPlace()
      const handles: Store[] = []
      const another = async () => {
        const handle = await sqlite(place.path, options).open({ clock })
        handles.push(handle)
        return handle
      }
      const closeAll = () => Promise.all(handles.map((handle) => handle.close()))
      return {
        store: await another(),
        another,
        reopen: another,
        files: async () => place.files(),
        corrupt: async (tenantId, sessionId, seq) => {
          behind(place.path, Library)(corruption, seq, tenantId, sessionId)
        },
        corruptWaypoint: async (tenantId, sessionId, seq) => {
          behind(place.path, Library)(waypointCorruption, seq, tenantId, sessionId)
        },
        schema: {
          makeOlder: async () => rmSync(place.path),
          makeNewer: async () => void place.behind('PRAGMA user_version = 999'),
        },
        async dispose() {
          await closeAll()
          place.remove()
        },
      }
    },
  }
}

/** Through the same library: closing a file drops the locks that another library of this process has on it. */
function behind(path: string, Library: BetterSqlite | typeof DatabaseSync) {
  return (sql: string, ...values: (string | number)[]): void => {
    const db = new Library(path)
    db.prepare(sql).run(...values)
    db.close()
  }
}

const corruption = `
  UPDATE events SET body = substr(body, 1, length(body) - 2) || '!"'
  WHERE seq = ? AND session = (
    SELECT session FROM sessions JOIN tenants USING (tenant) WHERE tenants.id = ? AND sessions.id = ?
  )`

const waypointCorruption = `
  UPDATE waypoints SET head = substr(head, 1, length(head) - 1) || '!'
  WHERE seq = ? AND session = (
    SELECT session FROM sessions JOIN tenants USING (tenant) WHERE tenants.id = ? AND sessions.id = ?
  )`

export function memoryFixture(library: string, options: SqliteOptions): StoreFixture {
  return {
    name: `sqlite in memory, ${library}`,
    async open({ clock }) {
      const store = await sqlite(':memory:', options).open({ clock })
      return { store, dispose: () => store.close() }
    },
  }
}
