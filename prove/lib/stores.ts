/** Where a proof keeps its sessions: a file of SQLite's, or a schema of a Postgres. */
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
