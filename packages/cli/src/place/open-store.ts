/** Opens the store that the settings name. Only what writes makes a new file: a mistyped path is not an empty store. */
import { existsSync } from 'node:fs'
import { type Holdfast, openHoldfast, type StoreFactory } from '@holdfast/core'
import type { PostgresOptions } from '@holdfast/core/postgres'
import type { SqliteOptions } from '@holdfast/core/sqlite'
import { HoldfastError } from '@holdfast/protocol'
import { publishedPrices } from './published-prices.ts'
import { isPostgres, type Settings } from './settings.ts'

export interface OpenStoreOptions extends Pick<PostgresOptions, 'requireSyncStandby' | 'distributed'> {
  /** Makes a file that is not there. */
  create?: boolean
  /** Sessions that are kept in memory after a write. */
  idleSessions?: number
}

export async function openStore(settings: Settings, options: OpenStoreOptions): Promise<Holdfast> {
  const { tenant } = settings
  const { idleSessions, ...ofStore } = options
  const store = await storeOf(settings, ofStore)
  return openHoldfast({
    store,
    prices: publishedPrices,
    ...(tenant !== undefined && { tenantId: tenant }),
    ...(idleSessions !== undefined && { idleSessions }),
  })
}

/** Not open yet. `writer`: of a file; `requireSyncStandby`: of a Postgres. */
export async function storeOf(
  { store, storeFrom }: Pick<Settings, 'store' | 'storeFrom'>,
  {
    create,
    requireSyncStandby = false,
    distributed,
    ...options
  }: Omit<OpenStoreOptions, 'idleSessions'> & Pick<SqliteOptions, 'writer'>,
): Promise<StoreFactory> {
  if (isPostgres(store))
    return postgresStore(store, { requireSyncStandby, ...(distributed && { distributed }) })
  if (requireSyncStandby)
    throw new HoldfastError('store_unsupported', `A synchronous standby is required, and ${store} is a file.`)
  if (!create && !existsSync(store)) {
    const message = `There is no store at ${store} (${storeFrom}).\n  holdfast import <paths…> makes one.`
    throw new HoldfastError('not_found', message, { details: { store } })
  }
  const { sqlite } = await import('@holdfast/core/sqlite')
  return sqlite(store, options)
}

async function postgresStore(
  url: string,
  options: Pick<PostgresOptions, 'requireSyncStandby' | 'distributed'>,
) {
  const { postgres } = await import('@holdfast/core/postgres')
  return postgres(url, { driver: (await importPg()).default, ...options })
}

async function importPg(): Promise<typeof import('pg')> {
  try {
    return await import('pg')
  } catch (cause) {
    const message = 'A Postgres store needs the package pg: npm install pg@8'
    throw new HoldfastError('store_unsupported', message, { cause })
  }
}
