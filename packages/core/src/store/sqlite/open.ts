/** Opening a place: the file, the connection with its settings, the schema. */
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { Connection, type Place } from './connection.ts'
import { type BetterSqlite, driverOf } from './driver.ts'
import { storeError } from './errors.ts'
import { requireWholeJournal } from './journal.ts'
import { type MigrateOptions, migrate } from './migrate.ts'
import { patiently } from './patience.ts'
import type { Durability } from './settings.ts'

export interface SqliteOptions {
  /** The better-sqlite3 constructor, to be used instead of `node:sqlite`, or the address of its module. */
  driver?: BetterSqlite | string
  /** Default `full`. With `normal` a power cut may take the last commits, although they were acknowledged. */
  durability?: Durability
  /** Default true. Without it nothing is indexed and every search is empty. */
  search?: boolean
  /**
   * `thread`: writes run on a thread of their own, so that the caller's neither runs them nor waits for the disk; for a
   * server. It needs a file, and a driver that is named by its module. Default `caller`.
   */
  writer?: 'caller' | 'thread'
}

export interface OpenedDatabase {
  db: Connection
  schemaVersion: number
}

export async function openDatabase(
  path: string,
  options: SqliteOptions,
  migrateOptions: MigrateOptions,
): Promise<OpenedDatabase> {
  const place = await placeOf(path, options)
  try {
    if (!place.inMemory) createFile(place.path)
    if (!place.inMemory && place.durability === 'full') await requireWholeJournal(place.path)
    const db = await patiently(() => new Connection(place))
    return { db, schemaVersion: await migrateOrClose(db, migrateOptions) }
  } catch (error) {
    throw storeError(error, place.path)
  }
}

async function migrateOrClose(db: Connection, options: MigrateOptions): Promise<number> {
  try {
    return await migrate(db, options)
  } catch (error) {
    db.close()
    throw error
  }
}

/** An absolute path is never taken for a URI. */
async function placeOf(path: string, options: SqliteOptions): Promise<Place> {
  const inMemory = path === ':memory:'
  const { durability = 'full' } = options
  const driver = await driverOf(options.driver)
  return { driver, inMemory, durability, path: inMemory ? path : resolve(path) }
}

/** Made before SQLite opens it, so that nobody else may read it; its journal takes over these rights. */
function createFile(path: string): void {
  if (existsSync(path)) return
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    throw new HoldfastError('store_unavailable', `The database ${path} cannot be created.`, { cause })
  }
}
