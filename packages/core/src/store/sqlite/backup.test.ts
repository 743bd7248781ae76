import { existsSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tenantId } from '@holdfast/protocol'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import { backUpSqlite, type SqliteOptions, sqlite } from './index.ts'
import { TemporaryPlace } from './temporary.ts'

const tenant = tenantId('t')

let place: TemporaryPlace
let target: string
beforeEach(() => {
  place = new TemporaryPlace()
  target = join(place.folder, 'copy.db')
})
afterEach(() => place.remove())

const libraries: readonly [string, SqliteOptions][] = [
  ['node:sqlite', {}],
  ['better-sqlite3', { driver: BetterSqlite3 }],
]

describe.each(libraries)('a backup with %s', (_library, options) => {
  it('is the store as it was at one moment, while others go on writing', async () => {
    const store = await sqlite(place.path, options).open({})
    await store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 0, create: true, events: 3 })])
    const copied = backUpSqlite(place.path, target, options)
    const later = store.commit([commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 3, events: 2 })])
    await copied
    const [outcome] = await later
    expect(outcome?.status).toBe('committed')
    await store.close()
    const copy = await sqlite(target, options).open({})
    expect([3, 5]).toContain((await copy.readHead(tenant, 's'))?.seq)
    for await (const finding of copy.checkStore(() => undefined)) expect(finding).toBeUndefined()
    await copy.close()
    expect(statSync(target).mode & 0o077).toBe(0)
    expect(existsSync(`${target}.partial`)).toBe(false)
  })
})

it('is never written over what is there', async () => {
  await (await sqlite(place.path).open({})).close()
  writeFileSync(target, 'something')
  await expect(backUpSqlite(place.path, target)).rejects.toMatchObject({ code: 'invalid_input' })
  expect(place.holding('something')).toEqual([target])
})

it('of a file that is not there, or into a folder that is not there, leaves nothing', async () => {
  await expect(backUpSqlite(place.path, target)).rejects.toMatchObject({ code: 'not_found' })
  await (await sqlite(place.path).open({})).close()
  const nowhere = join(place.folder, 'none', 'copy.db')
  await expect(backUpSqlite(place.path, nowhere)).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(existsSync(target)).toBe(false)
})

it('leaves a link, and a file of somebody else that is called .partial, as they are', async () => {
  await (await sqlite(place.path).open({})).close()
  writeFileSync(`${target}.partial`, 'mine')
  await backUpSqlite(place.path, target)
  expect(place.holding('mine')).toEqual([`${target}.partial`])
  const link = join(place.folder, 'link')
  symlinkSync('nowhere', link)
  await expect(backUpSqlite(place.path, link)).rejects.toMatchObject({ code: 'invalid_input' })
  expect(readlinkSync(link)).toBe('nowhere')
})

it('that fails leaves nothing behind', async () => {
  writeFileSync(place.path, 'this is no database, but a text that is long enough to be looked at as one')
  await expect(backUpSqlite(place.path, target)).rejects.toMatchObject({ code: 'store_corrupt' })
  expect(place.files()).toEqual([place.path])
})
