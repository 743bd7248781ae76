import { Client } from 'pg'
import { expect, test } from 'vitest'
import { describePostgres, type FreshSchema, freshSchema } from './server.ts'

async function ask({ url }: FreshSchema, ...statements: string[]): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements.slice(0, -1)) await client.query(statement)
    return (await client.query(statements.at(-1) ?? '')).rows
  } finally {
    await client.end()
  }
}

const schemas = ({ schema }: FreshSchema) =>
  `SELECT nspname AS name FROM pg_namespace WHERE nspname = '${schema}'`

describePostgres('a fresh schema', () => {
  test('is nobody else’s and not made yet', async () => {
    const fresh = freshSchema()
    expect(fresh.schema).not.toBe(freshSchema().schema)
    expect(await ask(fresh, schemas(fresh))).toEqual([])
    await fresh.drop()
  })

  test('is gone with all that was put into it when it is dropped', async () => {
    const fresh = freshSchema()
    const { schema } = fresh
    const made = await ask(fresh, `CREATE SCHEMA ${schema}`, `CREATE TABLE ${schema}.rows ()`, schemas(fresh))
    expect(made).toEqual([{ name: schema }])
    await fresh.drop()
    expect(await ask(fresh, schemas(fresh))).toEqual([])
  })
})
