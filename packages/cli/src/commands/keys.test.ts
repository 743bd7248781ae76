import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../exit-codes.ts'
import { pepperFile } from '../place/pepper.ts'
import { filledStore, temporaryFolder } from '../testing/place.ts'
import { run } from '../testing/run.ts'

const folder = temporaryFolder()
const { missing, usage } = exitCodes

async function keyOf(store: string, name: string): Promise<string> {
  const { out } = await run(['keys', 'create', '--name', name, '--store', store, '--json'])
  return JSON.parse(out).data.id
}

test.each([['list'], ['revoke', '4f0c2a']])('`keys %s` makes no store', async (...action) => {
  const store = join(folder, 'none.db')
  const { code, err } = await run(['keys', ...action, '--store', store])
  expect(code).toBe(missing.code)
  expect(err).toContain(`There is no store at ${store}`)
  expect(existsSync(store)).toBe(false)
  expect(existsSync(pepperFile(store))).toBe(false)
})

test('where no key was made none is found, and no secret is made', async () => {
  const store = join(folder, 'keyless.db')
  await filledStore(store, async () => undefined)
  expect(await run(['keys', 'list', '--store', store, '--json'])).toEqual({
    code: 0,
    out: '{"data":[]}\n',
    err: '',
  })
  expect((await run(['keys', 'revoke', '4f0c2a', '--store', store])).code).toBe(missing.code)
  expect(existsSync(pepperFile(store))).toBe(false)
})

test.each([
  ['--name', ''],
  ['--name', 'me', '--expires', '999999999w'],
  ['--name', 'me', '--user', ''],
])('a key that cannot be made leaves nothing behind: %s', async (...asked) => {
  const store = join(folder, 'refused.db')
  const { code, err } = await run(['keys', 'create', ...asked, '--store', store])
  expect(code).toBe(usage.code)
  expect(err).not.toContain('Invalid time')
  expect(existsSync(store)).toBe(false)
  expect(existsSync(pepperFile(store))).toBe(false)
})

test('a key is revoked by the beginning or the end of its id, where only one has it', async () => {
  const store = join(folder, 'keys.db')
  const [first, second, third] = [
    await keyOf(store, 'key 0'),
    await keyOf(store, 'key 1'),
    await keyOf(store, 'key 2'),
  ]
  const revoke = (text: string) => run(['keys', 'revoke', text, '--store', store])
  expect((await revoke(first.slice(0, 12))).err).toContain('key 0 lets nobody in')
  expect((await revoke(second.slice(-12))).err).toContain('key 1 lets nobody in')
  expect((await revoke(third)).err).toContain('key 2 lets nobody in')
  expect(await revoke('none')).toMatchObject({
    code: missing.code,
    err: expect.stringContaining('no key "none"'),
  })
  expect((await revoke(first.slice(0, 2))).code).toBe(missing.code)
})
