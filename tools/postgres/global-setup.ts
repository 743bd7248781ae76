/** Gives the tests of a run one Postgres: `HOLDFAST_TEST_POSTGRES_URL`, or one that is started for them. */
import type { TestProject } from 'vitest/node'
import { findPrograms } from './programs.ts'
import { startPostgres } from './start.ts'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string | undefined
    /** Why there is no `postgresUrl`. */
    postgresMissing: string | undefined
  }
}

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const missing = whyNone()
  project.provide('postgresMissing', missing)
  if (missing) return undefined
  const given = process.env.HOLDFAST_TEST_POSTGRES_URL
  if (given) {
    project.provide('postgresUrl', given)
    return undefined
  }
  const server = await startPostgres({ durable: false })
  project.provide('postgresUrl', server.url)
  return () => server.remove()
}

function whyNone(): string | undefined {
  if (process.env.HOLDFAST_QUICK) return 'HOLDFAST_QUICK leaves Postgres out'
  if (process.env.HOLDFAST_TEST_POSTGRES_URL) return undefined
  const found = findPrograms()
  return 'missing' in found ? found.missing : undefined
}
