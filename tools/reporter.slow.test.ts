import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const reporter = join(import.meta.dirname, 'reporter.ts')

/** Runs one test file with the reporter; tells the exit code and the lines printed. */
function run(text: string): { status: number | null; lines: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'reporter-'))
  try {
    writeFileSync(join(folder, 'a.test.js'), text)
    const args = [vitest, 'run', '--globals', '--root', folder, '--reporter', reporter]
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    return { status, lines: stdout.trimEnd().split('\n') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('a clean run ends with the count and exits with 0', () => {
  const { status, lines } = run("test('a', () => {}); test('b', () => {})")
  expect([status, lines.at(-1)]).toEqual([0, '2 passed, 0 failed'])
})

test('a failing test makes the exit code', () => {
  const { status, lines } = run("test('a', () => {}); test('b', () => { throw new Error('no') })")
  expect([status, lines.at(-1)]).toEqual([1, '1 passed, 1 failed'])
})

test('a skip is printed with its reason', () => {
  const { status, lines } = run("test('a', () => {}); test('b', (t) => t.skip('no server'))")
  expect([status, ...lines.slice(-2)]).toEqual([0, 'skipped: b (no server)', '1 passed, 0 failed, 1 skipped'])
})

test('an unhandled error is a failure', () => {
  const { status, lines } = run("test('a', () => { Promise.reject(new Error('stray')) })")
  expect([status, lines.at(-1)]).toEqual([1, '1 passed, 1 failed'])
})

test('a file that does not load is a failure', () => {
  const { status, lines } = run("throw new Error('broken')")
  expect([status, lines.at(-1)]).toEqual([1, '0 passed, 1 failed'])
})

test('no test at all is a failure', () => {
  const { status, lines } = run('')
  expect([status, lines.at(-1)]).toEqual([1, '0 passed, 1 failed'])
})
