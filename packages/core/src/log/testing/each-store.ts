/** Runs a suite on every store there is, each test on a place of its own with a clock that it holds. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { uuidv7Ids } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import pg from 'pg'
import { afterEach, beforeEach, describe, inject } from 'vitest'
import { memory } from '../../store/memory/index.ts'
import { postgres } from '../../store/postgres/index.ts'
import { TemporaryPlace } from '../../store/postgres/testing/place.ts'
import { type BetterSqlite, type SqliteOptions, sqlite } from '../../store/sqlite/index.ts'
import type { Store, StoreFactory } from '../../store/store.ts'
import { type Holdfast, type OpenOptions, openHoldfast } from '../holdfast.ts'

export class HeldClock {
  #nowMs = 1_790_000_000_000
  readonly now = (): number => this.#nowMs
  advance(ms: number): void {
    this.#nowMs += ms
  }
}

/** Opens the place of the running test: the first time, and again as another process would. */
export interface TestPlace {
  readonly clock: HeldClock
  /** The database file, where there is one. */
  readonly path: string | undefined
  /** Runs SQL on the database file, behind the store's back, and gives its rows; undefined where there is no file. */
  look(sql: string): Record<string, unknown>[] | undefined
  /** The same where there is a file or a server; `@name` is the table `name`. */
  readonly behind: Behind | undefined
  /** Whose names the tables and columns have. */
  readonly dialect: 'sqlite' | 'postgres'
  open(options?: Partial<OpenOptions> & { wrap?: (store: Store) => Store }): Promise<Holdfast>
  openStore(): Promise<Store>
}

type Look = (sql: string) => Record<string, unknown>[]
type Behind = (sql: string) => Promise<Record<string, unknown>[]>

type Library = typeof DatabaseSync | BetterSqlite

interface Kind {
  name: string
  /** Whether a second `open` is on the same data. */
  isShared: boolean
  path: 'file' | 'server' | 'none'
  make(): { factory: StoreFactory; path?: string; look?: Look; behind?: Behind; remove(): unknown }
}

const every: readonly Kind[] = [
  { name: 'memory', isShared: true, path: 'none', make: () => ({ factory: memory(), remove: () => {} }) },
  {
    name: 'SQLite in memory',
    isShared: false,
    path: 'none',
    make: () => ({ factory: sqlite(':memory:'), remove: () => {} }),
  },
  { name: 'SQLite in a file', isShared: true, path: 'file', make: () => inFile({}) },
  {
    name: 'SQLite in a file, with better-sqlite3',
    isShared: true,
    path: 'file',
    make: () => inFile({ driver: BetterSqlite3 }, BetterSqlite3),
  },
  {
    name: 'SQLite in a file, with a writer thread',
    isShared: true,
    path: 'file',
    make: () => inFile({ writer: 'thread' }),
  },
  { name: 'Postgres', isShared: true, path: 'server', make: onServer },
]

/** `npm run check` leaves out files and server, so that it takes seconds; `npm test` takes all that there are. */
const kinds = every.filter(({ path }) => {
  return (
    path === 'none' || (path === 'server' ? inject('postgresUrl') !== undefined : !process.env.HOLDFAST_QUICK)
  )
})

function onServer(): ReturnType<Kind['make']> {
  const place = new TemporaryPlace()
  const factory = postgres(place.url, { driver: pg, schema: place.schema, connections: 4 })
  return { factory, behind: (sql) => place.behind(sql), remove: () => place.drop() }
}

function inFile(options: SqliteOptions, library: Library = DatabaseSync): ReturnType<Kind['make']> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-log-'))
  const path = join(folder, 'sessions.db')
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const look = lookerAt(path, library)
  const behind: Behind = async (sql) => look(tablesNamed(sql))
  return { factory: sqlite(path, options), path, look, behind, remove }
}

function tablesNamed(sql: string): string {
  return sql.replace(/@(?=[a-z])/g, '')
}

/** By the library that the store uses: the locks of another one in the same process would not be seen. */
function lookerAt(path: string, Library: Library): Look {
  return (sql) => {
    const db = new Library(path)
    try {
      const statement = db.prepare(sql)
      if (!('reader' in statement) || statement.reader) return statement.all() as Record<string, unknown>[]
      statement.run()
      return []
    } finally {
      db.close()
    }
  }
}

export function eachStore(title: string, suite: (place: TestPlace) => void): void {
  onStores(kinds, title, suite)
}

/** Only stores that two processes may have open at once. */
export function eachSharedStore(title: string, suite: (place: TestPlace) => void): void {
  onStores(
    kinds.filter(({ isShared }) => isShared),
    title,
    suite,
  )
}

function onStores(chosen: readonly Kind[], title: string, suite: (place: TestPlace) => void): void {
  describe.each(chosen)(`${title}, on $name`, ({ make }) => {
    const place = new Fixture()
    beforeEach(() => place.begin(make()))
    afterEach(() => place.end())
    suite(place)
  })
}

class Fixture implements TestPlace {
  clock = new HeldClock()
  #made: ReturnType<Kind['make']> | undefined
  #opened: { close(): Promise<void> }[] = []

  begin(made: ReturnType<Kind['make']>): void {
    this.clock = new HeldClock()
    this.#made = made
  }

  get path(): string | undefined {
    return this.#made?.path
  }

  look(sql: string): Record<string, unknown>[] | undefined {
    return this.#made?.look?.(sql)
  }

  get behind(): Behind | undefined {
    return this.#made?.behind
  }

  get dialect(): 'sqlite' | 'postgres' {
    return this.path === undefined ? 'postgres' : 'sqlite'
  }

  async openStore(): Promise<Store> {
    const store = await (this.#made as ReturnType<Kind['make']>).factory.open({ clock: this.clock.now })
    this.#opened.push(store)
    return store
  }

  async open({
    wrap = (store: Store) => store,
    ...options
  }: Parameters<TestPlace['open']>[0] = {}): Promise<Holdfast> {
    const store = wrap(await this.openStore())
    const random = seededRandom(this.#opened.length)
    const ids = uuidv7Ids(this.clock.now, () => Math.floor(random() * 2 ** 32))
    const holdfast = await openHoldfast({ store, clock: this.clock.now, random, ids, ...options })
    this.#opened.unshift(holdfast)
    return holdfast
  }

  async end(): Promise<void> {
    for (const opened of this.#opened) await opened.close()
    this.#opened = []
    await this.#made?.remove()
  }
}

/** Mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
