/** Places for tests: a schema of its own, and looking behind the store's back. */
import pg from 'pg'
import type { Store } from '../../store.ts'
import { tablesNamed } from '../connection.ts'
import { type PostgresOptions, postgres } from '../index.ts'
import { freshSchema } from './server.ts'

export class TemporaryPlace {
  readonly #fresh = freshSchema()
  readonly #opened: Store[] = []
  readonly url = this.#fresh.url
  readonly schema = this.#fresh.schema

  async open(clock: (() => number) | undefined, options: Partial<PostgresOptions> = {}): Promise<Store> {
    const factory = postgres(this.url, { driver: pg, schema: this.schema, connections: 4, ...options })
    const store = await factory.open(clock ? { clock } : {})
    this.#opened.push(store)
    return store
  }

  /** Runs one statement as the superuser, whom no wall keeps out. */
  async behind(sql: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url })
    await client.connect()
    try {
      return (await client.query(tablesNamed(sql, this.schema), values)).rows
    } finally {
      await client.end()
    }
  }

  drop(): Promise<void> {
    return this.#fresh.drop()
  }

  async remove(): Promise<void> {
    await Promise.all(this.#opened.map((store) => store.close()))
    await this.drop()
  }
}
