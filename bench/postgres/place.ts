/** Where the Postgres workload runs: `HOLDFAST_TEST_POSTGRES_URL`, or a server of its own that syncs every commit. */
import { randomUUID } from 'node:crypto'
import { postgres } from '@holdfast/core/postgres'
import pg from 'pg'
import { startPostgres } from '../../tools/postgres/start.ts'

/** How often each contender runs. */
export const rounds = Number(process.env.HOLDFAST_BENCH_ROUNDS ?? 15)

export type Store = Awaited<ReturnType<ReturnType<typeof postgres>['open']>>

export interface Server {
  /** Empty schemas for one measurement. */
  place(): Promise<Place>
  /** Ends it if it was started for this. */
  remove(): Promise<void>
}

export interface Place {
  url: string
  /** Of the store's tables. */
  schema: string
  /** Of the hand-written ones. */
  byHand: string
  /** Another handle on the store. */
  open(): Promise<Store>
  /** Runs SQL as the role of the URL. */
  ask(sql: string, values?: unknown[]): Promise<Record<string, string>[]>
  /** What a load has left to be done is done, which a server's own workers take some minutes for. */
  settle(): Promise<void>
  drop(): Promise<void>
}

const SELECT_TABLES = `
  SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ($1, $2)`

const SELECT_ROLE = 'SELECT rolsuper AS may_checkpoint FROM pg_roles WHERE rolname = current_user'

export async function openServer(): Promise<Server> {
  const given = process.env.HOLDFAST_TEST_POSTGRES_URL
  if (given) return { place: () => openPlace(given), remove: async () => {} }
  const server = await startPostgres({ durable: true })
  return { place: () => openPlace(server.url), remove: () => server.remove() }
}

async function openPlace(url: string): Promise<Place> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const schema = `bench_${randomUUID().replaceAll('-', '')}`
  const byHand = `${schema}_by_hand`
  const ask = async (sql: string, values?: unknown[]) => (await client.query(sql, values)).rows
  return {
    url,
    schema,
    byHand,
    open: () => postgres(url, { driver: pg, schema }).open({}),
    ask,
    async settle() {
      for (const { name } of await ask(SELECT_TABLES, [schema, byHand])) await ask(`VACUUM (ANALYZE) ${name}`)
      const [role] = await ask(SELECT_ROLE)
      if (role?.may_checkpoint) await ask('CHECKPOINT')
    },
    async drop() {
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP SCHEMA IF EXISTS ${byHand} CASCADE`)
      await client.end()
    },
  }
}
