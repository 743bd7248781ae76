/** One connection to the database: prepared statements by their text, transactions, and opening anew after a failure. */
import { HoldfastError } from '@holdfast/protocol'
import type { Database, Driver, Row, SqlValue, Statement } from './driver.ts'
import { breaksConnection, busyError, damagedSchemaError, sqliteCode } from './errors.ts'
import { Known } from './known.ts'
import { applySettings, type Durability, requireVersion } from './settings.ts'

export interface Place {
  driver: Driver
  path: string
  inMemory: boolean
  durability: Durability
}

export class Connection {
  readonly known = new Known()
  readonly place: Place
  readonly engineVersion: string
  readonly settings: Readonly<Record<string, string | number>>
  #db: Database
  #statements = new Map<string, Statement>()
  #isBroken = false
  #isClosed = false

  constructor(place: Place) {
    this.place = place
    const { db, engineVersion, settings } = openDatabase(place)
    this.#db = db
    this.engineVersion = engineVersion
    this.settings = settings
  }

  /** Gives the number of changed rows. */
  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#statement(sql).get(...values)
  }

  all(sql: string, ...values: SqlValue[]): Row[] {
    return this.#statement(sql).all(...values)
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** `sql` is a constant of this folder, so what is kept here is bounded. */
  #statement(sql: string): Statement {
    if (this.#isClosed) throw new HoldfastError('store_closed', 'This store was closed during the call.')
    const kept = this.#statements.get(sql)
    if (kept) return kept
    const statement = this.#prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  /** The text is right, and the schema was made for it: where they do not fit, the schema's own text is damaged. */
  #prepare(sql: string): Statement {
    try {
      return this.#db.prepare(sql)
    } catch (error) {
      throw sqliteCode(error) === 'SQLITE_ERROR' ? damagedSchemaError(error) : error
    }
  }

  /** Several reads of one state. */
  snapshot<T>(read: () => T): T {
    this.run('BEGIN')
    try {
      return read()
    } finally {
      this.rollback()
    }
  }

  rollback(): void {
    if (this.#db.inTransaction) this.run('ROLLBACK')
  }

  /** What was learned inside the transaction is forgotten with it. */
  rollbackWrites(): void {
    this.known.clear()
    this.rollback()
  }

  /** Looks at every error that the engine threw: after some the connection must not be used again. */
  note(error: unknown): void {
    if (breaksConnection(error) && !this.place.inMemory) this.#isBroken = true
  }

  /**
   * Opens anew after a failure. The journal is written into the file and cut before anything else: after a failed
   * fsync the system may hold pages that it will never write, and later commits must not rest on them. While another
   * connection reads what is in the journal it cannot be cut: that is busy, and tried again.
   */
  mend(): void {
    if (!this.#isBroken || this.#isClosed) return
    this.#closeDatabase()
    this.#db = openDatabase(this.place).db
    if (this.get('PRAGMA wal_checkpoint(TRUNCATE)')?.[0] === 1) throw busyError()
    this.#isBroken = false
  }

  close(): void {
    this.#isClosed = true
    this.#closeDatabase()
  }

  #closeDatabase(): void {
    this.known.clear()
    this.#statements = new Map()
    try {
      this.#db.close()
    } catch (error) {
      // A broken connection may fail to close, or be closed already by an earlier try to mend it.
      if (!this.#isBroken) throw error
    }
  }
}

function openDatabase(place: Place): {
  db: Database
  engineVersion: string
  settings: Record<string, string | number>
} {
  const db = openPath(place)
  try {
    const engineVersion = requireVersion(db, place.driver.name)
    return { db, engineVersion, settings: applySettings(db, place) }
  } catch (error) {
    db.close()
    throw error
  }
}

function openPath({ driver, path }: Place): Database {
  try {
    return driver.open(path)
  } catch (cause) {
    const message = `The database ${path} cannot be opened. Check that its folder exists and may be written.`
    throw new HoldfastError('store_unavailable', message, { cause })
  }
}
