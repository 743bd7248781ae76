/** Where a proof keeps its sessions: a file of SQLite's, or a schema of a Postgres. */
import { join } from 'node:path'
import type { StoreFactory } from '@holdfast/core'
import { postgres } from '@holdfast/core/postgres'
import { sqlite } from '@holdfast/core/sqlite'
import pg from 'pg'

export type Place = FilePlace | ServerPlace

export interface FilePlace {
  file: string
}

export interface ServerPlace {
  url: string
  schema: string
  /** Of a role that may change the schema, when that of `url` may not. */
  migrationUrl?: string
}

export function storeAt(place: Place): StoreFactory {
  if ('file' in place) return sqlite(place.file)
  const { url, ...where } = place
  return postgres(url, { driver: pg, ...where })
}

/** Those that several processes may share, by name: what a proof may be run on. */
const shared: Record<string, (file: string) => StoreFactory> = {
  sqlite: (file) => storeAt({ file }),
  /** The same, but a power cut may take the last commits: for proofs that are not about power. */
  'sqlite-normal': (file) => sqlite(file, { durability: 'normal' }),
}

/** `folder` is a place of its own. The URL of a Postgres is a name too: there it is a schema. */
export function storeIn(folder: string, name: string): StoreFactory {
  if (name.startsWith('postgres://')) return storeAt({ url: name, schema: 'proof' })
  const store = shared[name]
  if (!store) throw new Error(`--store is one of ${Object.keys(shared).join(' ')}, not ${name}`)
  return store(join(folder, 'holdfast.db'))
}
