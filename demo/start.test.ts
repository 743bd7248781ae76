import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

interface Ended {
  code: number
  out: string
  err: string
}

function start(env: Record<string, string>): Promise<Ended> {
  const { FORCE_COLOR: _color, ...inherited } = process.env
  const script = join(import.meta.dirname, 'start.js')
  return new Promise((resolve) => {
    execFile(process.execPath, [script], { env: { ...inherited, ...env } }, (error, out, err) => {
      resolve({ code: error ? Number(error.code) : 0, out, err })
    })
  })
}

test('a first start imports, shows and ends well; a second one finds nothing new', async () => {
  const store = join(temporaryFolder(), 'holdfast.db')
  const first = await start({ HOLDFAST_STORE: store, NO_COLOR: '1' })
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toContain('14 new of 14 sessions')
  expect(first.out).toContain('written just now, while this reader waited')
  expect(first.out).toContain('kept once, read by both')
  expect(first.out.split('\n').length).toBeLessThan(60)
  expect(first.out).not.toContain('\u001b')
  const second = await start({ HOLDFAST_STORE: store })
  expect(second).toMatchObject({ code: 0, err: '' })
  expect(second.out).toContain('nothing new')
})

test('tokens that no file tells are shown as unknown', async () => {
  const { out } = await start({ HOLDFAST_STORE: join(temporaryFolder(), 'holdfast.db') })
  const rows = out.split('\n').filter((row) => row.includes('tau-bench airline'))
  expect(rows).toHaveLength(6)
  for (const row of rows) expect(row).toMatch(/unknown\s+unknown$/)
})

test('a store that cannot be opened is one clear line', async () => {
  const store = join(temporaryFolder(), 'no-database.db')
  writeFileSync(store, 'this is a letter, not a database. '.repeat(100))
  const { code, err } = await start({ HOLDFAST_STORE: store })
  expect(code).toBe(1)
  expect(err.trim().split('\n')).toHaveLength(1)
  expect(err).toContain(store)
})

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-demo-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
