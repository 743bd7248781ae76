import pg from 'pg'
import { expect, it } from 'vitest'
import { distributedTables, distributionStep } from './distribution.ts'
import { postgres } from './index.ts'
import { tables } from './migrations.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

it('every table is distributed by its tenant beside the sessions, or is on every node', () => {
  expect(distributedTables.toSorted()).toEqual([...tables, 'schema_version'].toSorted())
  const steps = distributedTables.map((table) => distributionStep('s', table))
  const [sessions, ...others] = steps.slice(0, -2)
  const distributed = `SELECT create_distributed_table($1::text::regclass, 'tenant', colocate_with => $2)`
  expect(sessions).toEqual({ sql: distributed, values: ['"s".sessions', 'none'] })
  expect(others.every(({ sql, values }) => sql === distributed && values[1] === '"s".sessions')).toBe(true)
  expect(steps.slice(-2)).toEqual([
    { sql: 'SELECT create_reference_table($1::text::regclass)', values: ['"s".tenants'] },
    { sql: 'SELECT create_reference_table($1::text::regclass)', values: ['"s".schema_version'] },
  ])
})

it('only an engine that is known is taken', async () => {
  const options = { driver: pg, distributed: 'other' as 'citus' }
  await expect(postgres('postgres://nobody@nowhere/x', options).open({})).rejects.toThrow('citus')
})

describePostgres('a distribution', () => {
  it.skipIf(process.env.HOLDFAST_TEST_DISTRIBUTED)(
    'needs the extension, and says that it is absent',
    async () => {
      const place = new TemporaryPlace()
      await expect(place.open(undefined, { distributed: 'citus' })).rejects.toMatchObject({
        code: 'store_unsupported',
        message: expect.stringContaining('no extension citus'),
      })
      expect(await place.tables()).toEqual([])
      await place.remove()
    },
  )

  it('keeps the tenant in every primary key and unique index, as it must', async () => {
    const place = new TemporaryPlace()
    await place.open(undefined)
    const rows = await place.behind(
      `SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND indexdef LIKE 'CREATE UNIQUE%'
        AND tablename <> 'schema_version'`,
      [place.schema],
    )
    const loose = rows.map(({ indexdef }) => String(indexdef)).filter((text) => !text.includes('(tenant'))
    expect(rows.length).toBeGreaterThan(15)
    expect(loose).toEqual([])
    await place.remove()
  })
})
