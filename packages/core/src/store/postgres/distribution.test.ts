import pg from 'pg'
import { expect, it } from 'vitest'
import { distributedTables, distributionSql } from './distribution.ts'
import { postgres } from './index.ts'
import { tables } from './migrations.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

it('every table is distributed by its tenant beside the sessions, or is on every node', () => {
  expect(distributedTables.toSorted()).toEqual([...tables, 'schema_version'].toSorted())
  const texts = distributedTables.map(distributionSql)
  expect(texts[0]).toBe(`SELECT create_distributed_table('@sessions', 'tenant', colocate_with => 'none')`)
  expect(texts[1]).toBe(
    `SELECT create_distributed_table('@attachments', 'tenant', colocate_with => '@sessions')`,
  )
  expect(texts.filter((text) => text.includes(`'tenant', colocate_with => '@sessions'`))).toHaveLength(
    tables.length - 2,
  )
  expect(texts.slice(-2)).toEqual([
    `SELECT create_reference_table('@tenants')`,
    `SELECT create_reference_table('@schema_version')`,
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
