/** Where an export goes: whatever stands at the path stays what it is. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { filledStore, said, temporaryFolder } from '../testing/place.ts'
import { type Ran, run } from '../testing/run.ts'

const folder = temporaryFolder()
const store = join(folder, 'holdfast.db')
let here: string

beforeAll(() =>
  filledStore(store, async ({ sessions }) => {
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(said('user', 'hello'))
  }),
)

beforeEach(() => {
  here = mkdtempSync(join(folder, 'out-'))
})

function exported(name: string, ...options: string[]): Promise<Ran> {
  return run(['export', 'last', '-o', join(here, name), ...options, '--store', store])
}

test.each([[[]], [['--force']]])('a pipe is written to and stays a pipe, %j', async (options) => {
  const pipe = join(here, 'pipe')
  execFileSync('mkfifo', [pipe])
  const [{ code }, text] = await Promise.all([exported('pipe', ...options), readFile(pipe, 'utf8')])
  expect(code).toBe(0)
  expect(text).toContain('hello')
  expect(lstatSync(pipe).isFIFO()).toBe(true)
  expect(readdirSync(here)).toEqual(['pipe'])
})

test('a link stays one: its target is written, and over what is there only with --force', async () => {
  mkdirSync(join(here, 'below'))
  writeFileSync(join(here, 'below/target'), 'before')
  symlinkSync('below/target', join(here, 'link'))
  expect(await exported('link')).toMatchObject({ code: 2, err: expect.stringContaining('--force') })
  expect((await exported('link', '--force')).code).toBe(0)
  expect(lstatSync(join(here, 'link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(here, 'below/target'), 'utf8')).toContain('hello')
})

test('what a link points to and is not there is made there', async () => {
  symlinkSync('later', join(here, 'first'))
  symlinkSync('first', join(here, 'link'))
  expect((await exported('link')).code).toBe(0)
  expect(readFileSync(join(here, 'later'), 'utf8')).toContain('hello')
  expect(lstatSync(join(here, 'link')).isSymbolicLink()).toBe(true)
  symlinkSync('nowhere/file', join(here, 'lost'))
  expect(await exported('lost')).toMatchObject({
    code: 3,
    err: `holdfast: The folder ${join(here, 'nowhere')} is not there.\n`,
  })
})

test('a file of somebody else that is called .partial stays', async () => {
  writeFileSync(join(here, 'chat.partial'), 'mine')
  expect((await exported('chat')).code).toBe(0)
  expect((await exported('chat', '--force')).code).toBe(0)
  expect(readFileSync(join(here, 'chat.partial'), 'utf8')).toBe('mine')
  expect(readdirSync(here).sort()).toEqual(['chat', 'chat.partial'])
})

test('what is written over keeps who may read it', async () => {
  writeFileSync(join(here, 'chat'), 'before')
  chmodSync(join(here, 'chat'), 0o600)
  expect((await exported('chat', '--force')).code).toBe(0)
  expect(statSync(join(here, 'chat')).mode & 0o777).toBe(0o600)
})

test('an export that fails leaves what was there, and nothing beside it', async () => {
  writeFileSync(join(here, 'chat'), 'before')
  const { writeOut } = await import('../export/out-file.ts')
  const failing = writeOut(join(here, 'chat'), { force: true }, async (sink) => {
    await sink.write('half')
    throw new Error('enough')
  })
  await expect(failing).rejects.toThrow('enough')
  expect(readdirSync(here)).toEqual(['chat'])
  expect(readFileSync(join(here, 'chat'), 'utf8')).toBe('before')
})

test('a folder is made for what is exported, and for nothing else', async () => {
  const out = join(here, 'out')
  const missing = await run(['export', 'nonesuch', '--folder', out, '--store', store])
  expect(missing.code).toBe(3)
  expect(readdirSync(here)).toEqual([])
  expect((await run(['export', 'last', '--folder', out, '--store', store])).code).toBe(0)
  expect(readdirSync(out)).toHaveLength(1)
})
