/** The Postgres of the test run; each test takes a schema of its own on it. */
import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { describe, inject } from 'vitest'

export interface FreshSchema {
  readonly url: string
  /** A name that nobody uses; the schema is not made yet. */
  readonly schema: string
  drop(): Promise<void>
}

export function freshSchema(): FreshSchema {
  const url = inject('postgresUrl')
  if (!url) throw new Error(inject('postgresMissing'))
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  return { url, schema, drop: () => run(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`) }
}

/** That the store's statements run under. */
export function roleOfStores(): string {
  const url = inject('postgresUrl')
  return inject('postgresSuperuser') || !url ? 'holdfast_app' : decodeURIComponent(new URL(url).username)
}

/** A suite that needs the server: where there is none it is skipped, and its name says why. */
export function describePostgres(name: string, suite: () => void): void {
  const missing = inject('postgresMissing')
  if (missing) describe.skip(`${name} (${missing})`, suite)
  else describe(name, suite)
}

/** One that makes roles and databases, or looks at what only a superuser has. */
export function describeSuperuser(name: string, suite: () => void): void {
  const isPlain = inject('postgresUrl') !== undefined && !inject('postgresSuperuser')
  if (isPlain) describe.skip(`${name} (the URL of the tests is not a superuser's)`, suite)
  else describePostgres(name, suite)
}

async function run(connectionString: string, sql: string): Promise<void> {
  const client = new Client({ connectionString })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
