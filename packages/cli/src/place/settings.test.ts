import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { World } from '../terminal/world.ts'
import { temporaryFolder } from '../testing/place.ts'
import { defaultStore } from './data-folder.ts'
import { settingsOf, shownStore } from './settings.ts'

const folder = temporaryFolder()

function world(env: Record<string, string> = {}, cwd = folder): World {
  return { env, cwd, home: '/home/me', platform: 'linux' } as unknown as World
}

test('the default is in the data folder of the platform', () => {
  const at = (platform: string, home: string, env: Record<string, string> = {}) =>
    defaultStore({ platform, home, env })
  expect(at('linux', '/home/me')).toBe('/home/me/.local/share/holdfast/holdfast.db')
  expect(at('linux', '/home/me', { XDG_DATA_HOME: '/data' })).toBe('/data/holdfast/holdfast.db')
  expect(at('linux', '/home/me', { XDG_DATA_HOME: 'data' })).toBe(
    '/home/me/.local/share/holdfast/holdfast.db',
  )
  expect(at('darwin', '/Users/me')).toBe('/Users/me/Library/Application Support/Holdfast/holdfast.db')
  expect(at('win32', 'C:\\Users\\me')).toBe('C:\\Users\\me\\AppData\\Local\\Holdfast\\holdfast.db')
  expect(at('win32', 'C:\\Users\\me', { LOCALAPPDATA: 'D:\\local' })).toBe('D:\\local\\Holdfast\\holdfast.db')
})

test('an option goes before the environment, that before the config file, that before the default', async () => {
  const below = join(folder, 'project', 'src')
  mkdirSync(below, { recursive: true })
  writeFileSync(join(folder, 'project', 'holdfast.config.json'), '{"store":"./kept/a.db","tenant":"team"}')
  const env = { HOLDFAST_STORE: './env.db' }
  expect(await settingsOf(world(env, below), { store: 'given.db' })).toMatchObject({
    store: join(below, 'given.db'),
    storeFrom: '--store',
    tenant: 'team',
  })
  expect((await settingsOf(world(env, below), {})).store).toBe(join(below, 'env.db'))
  expect(await settingsOf(world({}, below), { tenant: 'me' })).toMatchObject({
    store: join(folder, 'project', 'kept', 'a.db'),
    tenant: 'me',
  })
  expect(await settingsOf(world({}, folder), {})).toMatchObject({
    store: '/home/me/.local/share/holdfast/holdfast.db',
    storeFrom: 'default',
  })
})

test('a key that is mistyped is an error that names the right one', async () => {
  const path = join(folder, 'wrong.json')
  writeFileSync(path, '{"stroe":"a.db"}')
  await expect(settingsOf(world(), { config: path })).rejects.toThrow('Did you mean store?')
  writeFileSync(path, '{"store":7}')
  await expect(settingsOf(world(), { config: path })).rejects.toThrow('store: expected a text')
  writeFileSync(path, '{')
  await expect(settingsOf(world(), { config: path })).rejects.toThrow('not JSON')
  await expect(settingsOf(world(), { config: join(folder, 'none.json') })).rejects.toThrow('there is no file')
})

test('a password is never shown', async () => {
  expect((await settingsOf(world(), { store: 'postgres://me:secret@host/db' })).store).toBe(
    'postgres://me:secret@host/db',
  )
  expect(shownStore('postgres://me:secret@host/db')).toBe('postgres://me@host/db')
})
