/** `node:sqlite` in the shape of better-sqlite3, so that a proof may stand between the store and its database. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import type { BetterDatabase, BetterSqlite, BetterStatement } from '@holdfast/core/sqlite'

/** Stands around each use of the database: looks at the text, makes the call or does not, gives what the store shall see. */
type Around = (sql: string, call: () => unknown, values: readonly unknown[]) => unknown

export interface Between {
  /** Around `exec`, which may be given another text. */
  exec?: (sql: string, exec: (sql: string) => void) => void
  /** Around `run`, `get` and `all` of a statement. */
  statement?: Around
}

export function driverWith({
  exec = (sql, call) => call(sql),
  statement = (_, call) => call(),
}: Between): BetterSqlite {
  return class implements BetterDatabase {
    readonly #db: DatabaseSync

    constructor(path: string) {
      this.#db = new DatabaseSync(path)
    }

    prepare(sql: string): BetterStatement {
      return statementOf(this.#db.prepare(sql), (values, call) => statement(sql, call, values))
    }

    exec(sql: string): void {
      exec(sql, (text) => this.#db.exec(text))
    }

    close(): void {
      this.#db.close()
    }

    get inTransaction(): boolean {
      return this.#db.isTransaction
    }
  }
}

function statementOf(
  statement: StatementSync,
  around: (values: unknown[], call: () => unknown) => unknown,
): BetterStatement {
  return {
    reader: statement.columns().length > 0,
    raw: (on) => statement.setReturnArrays(on),
    run: (...values) =>
      around(values, () => statement.run(...(values as SQLInputValue[]))) as { changes: number },
    get: (...values) => around(values, () => statement.get(...(values as SQLInputValue[]))),
    all: (...values) => around(values, () => statement.all(...(values as SQLInputValue[]))) as unknown[],
  }
}
