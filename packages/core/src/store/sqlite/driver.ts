/**
 * The few members of a SQLite library that this store calls. `node:sqlite` is the default; better-sqlite3 is accepted
 * by its shape, so that nothing is imported that was not asked for. Rows come as arrays: objects with a key per column
 * take about twice the time. Parameters are anonymous (`?`): better-sqlite3 does not take numbered ones by position.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { Row } from '../row.ts'

export type { Row }

export type SqlValue = string | number | null | Uint8Array

export interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint }
  get(...values: SqlValue[]): Row | undefined
  all(...values: SqlValue[]): Row[]
}

export interface Database {
  prepare(sql: string): Statement
  exec(sql: string): void
  readonly inTransaction: boolean
  close(): void
}

export interface Driver {
  name: string
  open(path: string): Database
}

/** What of the better-sqlite3 constructor is used. */
export type BetterSqlite = new (path: string) => BetterDatabase

export interface BetterDatabase {
  prepare(sql: string): BetterStatement
  exec(sql: string): unknown
  close(): unknown
  readonly inTransaction: boolean
}

export interface BetterStatement {
  /** Whether it gives rows. */
  readonly reader: boolean
  raw(on: boolean): unknown
  run(...values: unknown[]): { changes: number }
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
}

/** The driver for a better-sqlite3 constructor or its module, or without one for the library that Node brings along. */
export async function driverOf(better: BetterSqlite | string | undefined): Promise<Driver> {
  if (better === undefined) return nodeDriver(await importNodeSqlite())
  return betterDriver(typeof better === 'string' ? await importBetter(better) : better)
}

async function importBetter(address: string): Promise<BetterSqlite> {
  try {
    return ((await import(address)) as { default: BetterSqlite }).default
  } catch (cause) {
    const message = `The driver ${address} cannot be imported. Pass import.meta.resolve('better-sqlite3').`
    throw new HoldfastError('store_unsupported', message, { cause })
  }
}

async function importNodeSqlite(): Promise<typeof import('node:sqlite')> {
  try {
    return await import('node:sqlite')
  } catch (cause) {
    const message = 'This Node has no node:sqlite. Use Node 24, or pass better-sqlite3 as `driver`.'
    throw new HoldfastError('store_unsupported', message, { cause })
  }
}

function nodeDriver({ DatabaseSync }: typeof import('node:sqlite')): Driver {
  return { name: 'node:sqlite', open: (path) => nodeDatabase(new DatabaseSync(path)) }
}

function nodeDatabase(db: import('node:sqlite').DatabaseSync): Database {
  return {
    prepare: (sql) => nodeStatement(db.prepare(sql)),
    exec: (sql) => db.exec(sql),
    get inTransaction() {
      return db.isTransaction
    },
    close: () => db.close(),
  }
}

/** The library's own statement: a wrapper around each call costs a fifth of a short one. */
function nodeStatement(statement: import('node:sqlite').StatementSync): Statement {
  statement.setReturnArrays(true)
  return statement as unknown as Statement
}

function betterDriver(Better: BetterSqlite): Driver {
  return { name: 'better-sqlite3', open: (path) => betterDatabase(new Better(path)) }
}

function betterDatabase(db: BetterDatabase): Database {
  return {
    prepare: (sql) => betterStatement(db.prepare(sql)),
    exec: (sql) => void db.exec(sql),
    get inTransaction() {
      return db.inTransaction
    },
    close: () => void db.close(),
  }
}

function betterStatement(statement: BetterStatement): Statement {
  if (statement.reader) statement.raw(true)
  return statement as unknown as Statement
}
