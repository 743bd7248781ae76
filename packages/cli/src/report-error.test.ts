import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { reportError } from './report-error.ts'
import { filledStore, said, temporaryFolder } from './testing/place.ts'
import { run } from './testing/run.ts'

const folder = temporaryFolder()

test.each([
  ['ENOENT', 'missing', '/a is not there.'],
  ['EACCES', 'usage', '/a may not be read or written by this user.'],
  ['EPERM', 'usage', '/a may not be read or written by this user.'],
  ['EISDIR', 'usage', '/a is a folder.'],
  ['ENOTDIR', 'usage', '/a leads through a file that is no folder.'],
  ['EEXIST', 'usage', '/a exists already.'],
  ['EROFS', 'usage', '/a is on a disk that may only be read.'],
  ['EMFILE', 'store', 'Too many files are open.'],
  ['ENOSPC', 'store', 'The disk is full: what was being written is not there; what was written before is.'],
] as const)('%s is told in words', async (code, ending, said) => {
  const error = Object.assign(new Error(`${code}: raw`), { code, syscall: 'open', path: '/a' })
  const reported = await reportError(error, { asJson: false, debug: false })
  expect(reported.ending).toBe(ending)
  expect(reported.lines[0]).toBe(`holdfast: ${said}`)
  const { error: told } = JSON.parse(
    (await reportError(error, { asJson: true, debug: false })).lines.join('\n'),
  )
  expect(new HoldfastError(told.code, '').status).toBeGreaterThanOrEqual(400)
})

test('a refusal that names no file is told all the same', async () => {
  const error = Object.assign(new Error('EISDIR: raw'), { code: 'EISDIR', syscall: 'read' })
  const { lines } = await reportError(error, { asJson: false, debug: false })
  expect(lines).toEqual(['holdfast: What was named is a folder.'])
})

test('a folder that lies below a file is no unforeseen failure', async () => {
  const store = join(folder, 'holdfast.db')
  await filledStore(store, async ({ sessions }) => {
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(said('user', 'hello'))
  })
  const file = join(folder, 'file')
  writeFileSync(file, '')
  for (const place of [
    ['--folder', join(file, 'below')],
    ['-o', join(file, 'below')],
    ['--folder', file],
  ]) {
    const { code, err } = await run(['export', 'last', ...place, '--store', store])
    expect({ code, err }).toEqual({ code: 2, err: expect.not.stringMatching(/E[A-Z]{4}/) })
  }
  mkdirSync(join(folder, 'store.db'))
  const { code, err } = await run(['sessions', '--store', join(folder, 'store.db')])
  expect({ code, err }).toEqual({ code: 5, err: expect.stringContaining(join(folder, 'store.db')) })
})

test('the doctor does not send to the doctor: what is left is told', async () => {
  const store = join(folder, 'damaged.db')
  await filledStore(store, ({ sessions }) => sessions.create({ agentId: 'agent' }))
  writeFileSync(store, Buffer.alloc(4_096, 0xff), { flag: 'r+' })
  for (const command of ['doctor', 'repair']) {
    const { code, err } = await run([command, '--store', store])
    expect(code).toBe(5)
    expect(err).not.toContain('holdfast doctor')
    expect(err).toContain('holdfast export <id>')
  }
  expect((await run(['sessions', '--store', store])).err).toContain('holdfast doctor')
})
