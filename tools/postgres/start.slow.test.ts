import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { findPrograms } from './programs.ts'
import { type Postgres, type PostgresOptions, startPostgres } from './start.ts'

const found = findPrograms()
const running = new Set<Postgres>()

afterEach(async () => {
  for (const postgres of running) await postgres.remove()
  running.clear()
})

async function start(options: PostgresOptions = { durable: false }): Promise<Postgres> {
  const postgres = await startPostgres(options)
  running.add(postgres)
  return postgres
}

async function ask(connectionString: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows?.flat()
  } finally {
    await client.end()
  }
}

const folderOf = async ({ url }: Postgres) => join(String(await ask(url, 'SHOW data_directory')), '..')

describe.skipIf('missing' in found)('a Postgres that is started', () => {
  test('forces commits to the disk unless it is told not to', async () => {
    const settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit')"
    expect(await ask((await start({ durable: true })).url, settings)).toEqual(['on', 'on'])
    expect(await ask((await start({ durable: false })).url, settings)).toEqual(['off', 'off'])
  })

  test('stores UTF-8 and compares bytes', async () => {
    const { url } = await start()
    expect(await ask(url, 'SHOW server_encoding')).toEqual(['UTF8'])
    expect(await ask(url, "SELECT 'Z' < 'a'")).toEqual([true])
  })

  test.each(['fast', 'immediate'] as const)(
    'keeps what was committed over a stop that is %s',
    async (mode) => {
      const postgres = await start({ durable: true })
      await ask(postgres.url, 'CREATE TABLE kept AS SELECT 7 AS value')
      const before = postgres.pid
      await postgres.stop(mode)
      expect(postgres.pid).toBeUndefined()
      await expect(ask(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
      await postgres.start()
      expect(postgres.pid).not.toBe(before)
      expect(await ask(postgres.url, 'SELECT value FROM kept')).toEqual([7])
    },
  )

  test('really crashes when it is stopped immediately, and only then', async () => {
    const postgres = await start()
    const log = join(await folderOf(postgres), 'log')
    await postgres.stop('fast')
    await postgres.start()
    expect(readFileSync(log, 'utf8')).not.toContain('automatic recovery in progress')
    await postgres.stop('immediate')
    await postgres.start()
    expect(readFileSync(log, 'utf8')).toContain('automatic recovery in progress')
  })

  test('says why it does not start, and starts when the reason is gone', async () => {
    const postgres = await start()
    await postgres.stop('fast')
    const squatter = createServer().listen(Number(new URL(postgres.url).port), '127.0.0.1')
    await once(squatter, 'listening')
    await expect(postgres.start()).rejects.toThrow('Address already in use')
    squatter.close()
    await once(squatter, 'close')
    await postgres.start()
    expect(await ask(postgres.url, 'SELECT 1')).toEqual([1])
  })

  test('leaves nothing behind when it is removed', async () => {
    const postgres = await start()
    const folder = await folderOf(postgres)
    await postgres.remove()
    expect(existsSync(folder)).toBe(false)
    await expect(ask(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  })

  test.each([
    ['is killed', 'SIGKILL'],
    ['ends without a word', undefined],
  ] as const)('leaves nothing behind when the process that launched it %s', async (_how, signal) => {
    const program = `
      const { startPostgres } = await import(${JSON.stringify(new URL('start.ts', import.meta.url))})
      const { url } = await startPostgres()
      process.stdout.write(url)
      process.stdin.once('data', () => process.stdin.destroy())`
    const launcher = spawn(process.execPath, ['--input-type=module', '-e', program])
    onTestFinished(() => void launcher.kill('SIGKILL'))
    const url = String((await once(launcher.stdout, 'data'))[0])
    const folder = join(String(await ask(url, 'SHOW data_directory')), '..')
    if (signal) launcher.kill(signal)
    else launcher.stdin.write('end')
    await once(launcher, 'exit')
    await expect.poll(() => existsSync(folder), { timeout: 20_000 }).toBe(false)
    await expect(ask(url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED')
  })
})
