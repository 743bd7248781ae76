/**
 * The Postgres store: any number of processes on one database. Each commit is durable when it resolves, as far as the
 * server's settings go; row-level security keeps tenants apart beside the store's own conditions.
 */
import type { StoreFactory } from '../store.ts'
import { openDatabase, type PostgresOptions } from './open.ts'
import { PostgresStore } from './store.ts'

export type { PgClient, PgModule, PgPool, PgPoolConfig } from './driver.ts'
export type { PostgresOptions } from './open.ts'

/**
 * Names a place: the URL of a database and a schema in it. Each `open` gives another handle on it. Of several hosts
 * (`postgres://user@one:5432,other:5432/database`) the one that takes writes is used, whichever it is at the time.
 */
export function postgres(url: string, options: PostgresOptions): StoreFactory {
  return {
    async open({ clock }) {
      const opened = await openDatabase(url, options)
      return new PostgresStore(opened, { clock, search: options.search ?? true })
    },
  }
}
