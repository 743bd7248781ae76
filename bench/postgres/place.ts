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
  drop(): Promise<void>
}

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
  return {
    url,
    schema,
    byHand,
    open: () => postgres(url, { driver: pg, schema }).open({}),
    ask: async (sql, values) => (await client.query(sql, values)).rows,
    async drop() {
      await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE; DROP SCHEMA IF EXISTS ${byHand} CASCADE`)
      await client.end()
    },
  }
}
