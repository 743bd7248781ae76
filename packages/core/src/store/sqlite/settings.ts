/**
 * What is set on every open, and read back: SQLite ignores a setting that it cannot honour, and some builds open a WAL
 * file with `synchronous=NORMAL`, which loses acknowledged commits in a power cut.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { Database } from './driver.ts'

/** `full`: a resolved commit survives a power cut. `normal`: a power cut may take the last ones, kept whole. */
export type Durability = 'full' | 'normal'

interface Setting {
  set: string
  read: string
  /** What must be read back; without it any value is taken and reported. */
  value?: string | number
}

const always: Readonly<Record<string, Setting>> = {
  // SQLite's own wait for a lock stops the event loop; `patience.ts` waits in its place.
  busy_timeout: { set: 'PRAGMA busy_timeout = 0', read: 'PRAGMA busy_timeout', value: 0 },
  // Only a new file takes the page size, and only before anything is written to it. A commit writes every page that it
  // changed whole, so small pages are less to write: with 8 KiB a turn alone wrote half as much again into the journal.
  page_size: { set: 'PRAGMA page_size = 4096', read: 'PRAGMA page_size' },
  secure_delete: { set: 'PRAGMA secure_delete = ON', read: 'PRAGMA secure_delete', value: 1 },
  foreign_keys: { set: 'PRAGMA foreign_keys = OFF', read: 'PRAGMA foreign_keys', value: 0 },
  temp_store: { set: 'PRAGMA temp_store = MEMORY', read: 'PRAGMA temp_store', value: 2 },
  // In KiB. What does not fit is in the system's cache; a process shall be able to hold a session of any length in 150 MB.
  cache_size: { set: 'PRAGMA cache_size = -8192', read: 'PRAGMA cache_size', value: -8192 },
  trusted_schema: { set: 'PRAGMA trusted_schema = OFF', read: 'PRAGMA trusted_schema', value: 0 },
}

/** 2,000 pages between checkpoints: 4,000 gave about 10 % more commits, but a p99 of 11.7 ms a batch in place of 8.2 ms. */
const onFile: Readonly<Record<string, Setting>> = {
  journal_mode: { set: 'PRAGMA journal_mode = WAL', read: 'PRAGMA journal_mode', value: 'wal' },
  wal_autocheckpoint: {
    set: 'PRAGMA wal_autocheckpoint = 2000',
    read: 'PRAGMA wal_autocheckpoint',
    value: 2000,
  },
  journal_size_limit: {
    set: 'PRAGMA journal_size_limit = 67108864',
    read: 'PRAGMA journal_size_limit',
    value: 67_108_864,
  },
  // Only macOS knows them: there fsync alone does not reach the disk.
  fullfsync: { set: 'PRAGMA fullfsync = ON', read: 'PRAGMA fullfsync', value: 1 },
  checkpoint_fullfsync: {
    set: 'PRAGMA checkpoint_fullfsync = ON',
    read: 'PRAGMA checkpoint_fullfsync',
    value: 1,
  },
}

const synchronous: Readonly<Record<Durability, Setting>> = {
  full: { set: 'PRAGMA synchronous = FULL', read: 'PRAGMA synchronous', value: 2 },
  normal: { set: 'PRAGMA synchronous = NORMAL', read: 'PRAGMA synchronous', value: 1 },
}

interface SettingsOptions {
  durability: Durability
  inMemory: boolean
}

/** Applies every setting and gives what is in force. Throws `store_unsupported` for one that did not take. */
export function applySettings(db: Database, options: SettingsOptions): Record<string, string | number> {
  const inForce: Record<string, string | number> = {}
  for (const [name, setting] of Object.entries(wantedFor(options))) {
    db.exec(setting.set)
    inForce[name] = readBack(db, name, setting)
  }
  return inForce
}

/** The query that tells what is in force, for each setting that is applied. */
export function settingQueries(options: SettingsOptions): readonly { name: string; read: string }[] {
  return Object.entries(wantedFor(options)).map(([name, { read }]) => ({ name, read }))
}

function wantedFor({ durability, inMemory }: SettingsOptions): Readonly<Record<string, Setting>> {
  return { ...always, ...(inMemory ? {} : onFile), synchronous: synchronous[durability] }
}

function readBack(db: Database, name: string, { read, value }: Setting): string | number {
  const found = db.prepare(read).get()?.[0] as string | number
  if (value === undefined || found === value) return found
  const message = `SQLite did not take ${name} = ${value} (it says ${found}); the file system may not support it.`
  throw new HoldfastError('store_unsupported', message, { details: { name, wanted: value, found } })
}

/** Older ones can corrupt a WAL file when two connections checkpoint and write at the same moment. */
const oldest = [3, 51, 3] as const

export function requireVersion(db: Database, driver: string): string {
  const version = String(db.prepare('SELECT sqlite_version()').get()?.[0])
  if (isAtLeast(version.split('.').map(Number), oldest)) return version
  const message =
    `${driver} is linked with SQLite ${version}, which can corrupt a database in WAL mode. ` +
    'Use a Node with SQLite 3.51.3 or newer (Node 24), or pass better-sqlite3 13 as `driver`.'
  throw new HoldfastError('store_unsupported', message, { details: { version } })
}

function isAtLeast(version: readonly number[], wanted: readonly number[]): boolean {
  for (const [index, least] of wanted.entries()) {
    const found = version[index] ?? 0
    if (found !== least) return found > least
  }
  return true
}
