/** Gives the tests of a run one Postgres: `HOLDFAST_TEST_POSTGRES_URL`, or one that is started for them. */
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { findPrograms } from './programs.ts'
import { startPostgres } from './start.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string | undefined
    /** Why there is no `postgresUrl`. */
    postgresMissing: string | undefined
    /** Whether its URL is a superuser's, as that of a server that was started for the run. */
    postgresSuperuser: boolean
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const missing = whyNone()
  project.provide('postgresMissing', missing)
  project.provide('postgresSuperuser', !missing)
  if (missing) return undefined
  const given = process.env.HOLDFAST_TEST_POSTGRES_URL
  if (given) {
    project.provide('postgresUrl', given)
    project.provide('postgresSuperuser', await isSuperuser(given))
    return undefined
  }
  const server = await startPostgres({ durable: false })
  project.provide('postgresUrl', server.url)
  return () => server.remove()
}

async function isSuperuser(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user')
    return rows[0].rolsuper
  } finally {
    await client.end()
  }
}

function whyNone(): string | undefined {
  if (process.env.HOLDFAST_QUICK) return 'HOLDFAST_QUICK leaves Postgres out'
  if (process.env.HOLDFAST_TEST_POSTGRES_URL) return undefined
  const found = findPrograms()
  return 'missing' in found ? found.missing : undefined
}
