import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StoreFactory } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { postgres } from '@holdfast/core/postgres'
import { sqlite } from '@holdfast/core/sqlite'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { type Serving, serve } from '../node/index.ts'
import { pepper } from '../testing/each-server.ts'
import { httpCases, runHttpCase, runHttpConformance, type Target } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-http-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const url = inject('postgresUrl')
const schema = `http_${randomUUID().replaceAll('-', '')}`

const stores: [string, (() => StoreFactory) | undefined][] = [
  ['memory', memory],
  ['SQLite in a file', () => sqlite(join(folder, 'sessions.db'))],
  [
    url === undefined ? `Postgres (${inject('postgresMissing')})` : 'Postgres',
    url === undefined ? undefined : () => postgres(url, { driver: pg, schema }),
  ],
]

afterAll(async () => {
  if (url === undefined) return
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await admin.end()
})

describe.each(stores)('the HTTP interface, on %s', (_name, store) => {
  if (!store) return it.skip('is not tried')
  let serving: Serving
  let target: Target

  beforeAll(async () => {
    serving = await serve({ store: store(), port: 0, pepper, signals: [] })
    const scopes = ['read', 'write', 'answer', 'run'] as const
    const made = await serving.server.keys?.create(DEFAULT_TENANT, { name: 'conformance', scopes })
    target = { url: serving.url, ...(made && { key: made.key }) }
  })
  afterAll(() => serving.close())

  it.each(httpCases)('$id: $title', async (httpCase) => {
    const { status, error } = await runHttpCase(target, httpCase)
    if (status === 'failed') throw error
    expect(status).toBe('passed')
  })
})

it('a server that loses appends, or answers what it likes, is found out', async () => {
  const fetch = () => Response.json({ id: 'x', data: [], next: null }, { status: 201 })
  const { passed, failed, skipped, results } = await runHttpConformance({ url: 'http://localhost', fetch })
  expect({ passed, skipped }).toEqual({ passed: 0, skipped: 1 })
  expect(failed).toBe(httpCases.length - 1)
  expect(results.find(({ status }) => status === 'skipped')?.reason).toContain('no key')
})
