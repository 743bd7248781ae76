import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, lstatSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { account, findPrograms, runnableBin } from './programs.ts'

/** The programs that are found while `HOLDFAST_TEST_POSTGRES_BIN` is this. */
function foundWith(bin: string | undefined): ReturnType<typeof findPrograms> {
  vi.stubEnv('HOLDFAST_TEST_POSTGRES_BIN', bin)
  const found = findPrograms()
  vi.unstubAllEnvs()
  return found
}

test('another installation goes before the package', () => {
  expect(foundWith('/opt/postgres/bin')).toEqual({ bin: '/opt/postgres/bin' })
})

const packaged = foundWith(undefined)

describe.skipIf('missing' in packaged)('a packaged Postgres', () => {
  let folder = ''
  let native = ''

  /** As npm unpacks it, before the package's script has made its links. */
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-programs-'))
    chmodSync(folder, 0o755)
    native = join(folder, 'package/native')
    const isFile = (path: string) => !lstatSync(path).isSymbolicLink()
    cpSync('native' in packaged ? packaged.native : '', native, { recursive: true, filter: isFile })
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  const initdb = (bin: string) =>
    spawnSync(join(bin, 'initdb'), ['--version'], { ...account, cwd: '/' }).status

  test('runs from a copy that has its links, and from there without another copy', () => {
    expect(initdb(join(native, 'bin'))).not.toBe(0)
    const bin = runnableBin(native, join(folder, 'first'))
    expect(initdb(bin)).toBe(0)
    expect(runnableBin(join(bin, '..'), join(folder, 'second'))).toBe(bin)
  })

  test.skipIf(!account)('runs from a copy where only root may look', () => {
    const bin = runnableBin(native, join(folder, 'closed'))
    chmodSync(join(folder, 'closed'), 0o700)
    const open = runnableBin(join(bin, '..'), join(folder, 'open'))
    expect(open).toBe(join(folder, 'open/native/bin'))
    expect(initdb(open)).toBe(0)
  })
})
