import { statSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BetterSqlite, type SqliteOptions, sqlite } from './index.ts'
import { migrations } from './migrations.ts'
import { TemporaryPlace } from './temporary.ts'

let place: TemporaryPlace
beforeEach(() => {
  place = new TemporaryPlace()
})
afterEach(() => place.remove())

async function infoOnOpen(options: SqliteOptions) {
  const store = await sqlite(place.path, options).open({})
  const info = store.info()
  await store.close()
  return info
}

const libraries: readonly [string, SqliteOptions][] = [
  ['node:sqlite', {}],
  ['better-sqlite3', { driver: BetterSqlite3 }],
]

describe.each(libraries)('settings with %s', (library, options) => {
  it('are in force on every open, not only on the first', async () => {
    const expected = {
      driver: library,
      search: 'on',
      journal_mode: 'wal',
      synchronous: 2,
      secure_delete: 1,
      foreign_keys: 0,
      busy_timeout: 0,
      page_size: 4096,
      temp_store: 2,
      cache_size: -8192,
      trusted_schema: 0,
      wal_autocheckpoint: 2000,
      journal_size_limit: 67_108_864,
      fullfsync: 1,
      checkpoint_fullfsync: 1,
    }
    for (let opening = 1; opening <= 3; opening += 1) {
      const info = await infoOnOpen(options)
      expect(info.settings).toEqual(expected)
      expect(info).toMatchObject({ engine: 'sqlite', durable: true, schemaVersion: migrations.length })
    }
  })

  it('give up durability only when asked to, and say so', async () => {
    const info = await infoOnOpen({ ...options, durability: 'normal' })
    expect(info.durable).toBe(false)
    expect(info.settings.synchronous).toBe(1)
    expect((await infoOnOpen(options)).durable).toBe(true)
  })

  it('say that a store in memory is not durable', async () => {
    const store = await sqlite(':memory:', options).open({})
    expect(store.info().durable).toBe(false)
    await store.close()
  })
})

it('a new file and its journal can be read by their owner only', async () => {
  const store = await sqlite(place.path).open({})
  for (const path of place.files()) expect(statSync(path).mode & 0o777, path).toBe(0o600)
  expect(place.files().length).toBeGreaterThan(1)
  await store.close()
})

it('a missing folder is made', async () => {
  const store = await sqlite(`${place.folder}/deep/down/sessions.db`).open({})
  await store.close()
})

it('an engine with the journal bug is refused, and the message names two ways out', async () => {
  const Old = pretending('SELECT sqlite_version()', '3.51.2')
  const opening = sqlite(place.path, { driver: Old }).open({})
  await expect(opening).rejects.toMatchObject({ code: 'store_unsupported' })
  await expect(opening).rejects.toThrow(/3\.51\.2.*Node 24.*better-sqlite3/s)
})

it('a setting that did not take is refused', async () => {
  const opening = sqlite(place.path, { driver: pretending('PRAGMA journal_mode', 'delete') }).open({})
  await expect(opening).rejects.toMatchObject({ code: 'store_unsupported' })
})

it('a file that is not a database is told from a locked one', async () => {
  const store = await sqlite(place.path).open({})
  await store.close()
  const { writeFileSync } = await import('node:fs')
  writeFileSync(
    place.path,
    'this is a text file and no database at all, however long one looks at it'.repeat(20),
  )
  await expect(sqlite(place.path).open({})).rejects.toMatchObject({ code: 'store_corrupt' })
})

/** A library that answers one query with a value of our choice. */
function pretending(sql: string, value: string): BetterSqlite {
  return class extends BetterSqlite3 {
    // biome-ignore lint/suspicious/noExplicitAny: narrower than the library's own overloads
    override prepare(text: string): any {
      const statement = super.prepare(text)
      return text === sql ? { reader: true, raw() {}, get: () => [value] } : statement
    }
  }
}
