/** Places for tests: a schema of its own, and looking behind the store's back. */
import pg from 'pg'
import { inject } from 'vitest'
import type { Store } from '../../store.ts'
import { tablesNamed } from '../connection.ts'
import { type PostgresOptions, postgres } from '../index.ts'
import { freshSchema } from './server.ts'

export class TemporaryPlace {
  readonly #fresh = freshSchema()
  readonly #opened: Store[] = []
  readonly #options: Partial<PostgresOptions>
  readonly url: string
  readonly schema = this.#fresh.schema
  #superuser: Promise<pg.Client> | undefined

  /** `url` is for the stores that are opened here; behind them the superuser looks. */
  constructor({ url, ...options }: Partial<PostgresOptions> & { url?: string } = {}) {
    this.url = url ?? this.#fresh.url
    this.#options = options
  }

  async open(clock: (() => number) | undefined, options: Partial<PostgresOptions> = {}): Promise<Store> {
    const all = {
      driver: pg,
      schema: this.schema,
      connections: 4,
      ...distribution(),
      ...this.#options,
      ...options,
    }
    const store = await postgres(this.url, all).open(clock ? { clock } : {})
    this.#opened.push(store)
    return store
  }

  /** Runs one statement, or several without values, where no wall is: as the superuser, or as the owner while it is down. */
  async behind(sql: string, values: unknown[] = []): Promise<Row[]> {
    this.#superuser ??= connect(this.#fresh.url)
    const client = await this.#superuser
    const isWalled = !inject('postgresSuperuser') && isOnRows.test(sql) && !/\bpg_/.test(sql)
    return isWalled ? this.#withoutWall(client, sql, values) : this.#ask(client, sql, values)
  }

  /** Nobody else sees the tables before the wall is up again. */
  async #withoutWall(client: pg.Client, sql: string, values: unknown[]): Promise<Row[]> {
    const { rows } = await client.query(FORCED, [this.schema])
    const tables = rows.map(({ relname }) => relname)
    const alter = (force: string) =>
      tables.map((table) => `ALTER TABLE @${table} ${force} ROW LEVEL SECURITY;`)
    await this.#ask(client, `BEGIN; ${alter('NO FORCE').join('')}`, [])
    try {
      const found = await this.#ask(client, sql, values)
      await this.#ask(client, `${alter('FORCE').join('')} COMMIT`, [])
      return found
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    }
  }

  /** Statements of one connection, `@name` for a table. */
  async as<T>(url: string, work: (ask: Ask) => Promise<T>): Promise<T> {
    const client = await connect(url)
    try {
      return await work((sql, values) => this.#ask(client, sql, values))
    } finally {
      await client.end()
    }
  }

  async #ask(client: pg.Client, sql: string, values: unknown[] | undefined): Promise<Row[]> {
    const named = tablesNamed(sql, this.schema)
    return (await (values?.length ? client.query(named, values) : client.query(named))).rows
  }

  async tables(): Promise<string[]> {
    const rows = await this.behind('SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1', [
      this.schema,
    ])
    return rows.map(({ tablename }) => String(tablename))
  }

  /** Every row of every table, as text. */
  async dump(): Promise<string[]> {
    const tables = await this.tables()
    const selects = tables.map((table) => `SELECT '${table}' || row(t.*)::text AS line FROM @${table} t`)
    return (await this.behind(selects.join(' UNION ALL '))).map(({ line }) => String(line)).toSorted()
  }

  /** Takes every row away, as if nobody had written. */
  async empty(): Promise<void> {
    const tables = (await this.tables()).filter((table) => table !== 'schema_version')
    await this.behind(tables.map((table) => `DELETE FROM @${table}`).join('; '))
  }

  drop(): Promise<void> {
    return this.#fresh.drop()
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((store) => store.close()))
  }

  async remove(): Promise<void> {
    await this.closeAll()
    await (await this.#superuser)?.end()
    await this.drop()
  }
}

/** `HOLDFAST_TEST_DISTRIBUTED=citus`: every schema of a test is a distributed one. */
export function distribution(): Pick<PostgresOptions, 'distributed'> {
  const distributed = process.env.HOLDFAST_TEST_DISTRIBUTED
  return distributed ? { distributed: distributed as 'citus' } : {}
}

const isOnRows = /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH|TRUNCATE)\b/

const FORCED = `
  SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relforcerowsecurity`

type Row = Record<string, unknown>
export type Ask = (sql: string, values?: unknown[]) => Promise<Row[]>

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  return client
}
