/** Places for tests: a folder of its own, and looking behind the store's back. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'

export class TemporaryPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'holdfast-sqlite-'))
  readonly path = join(this.folder, 'sessions.db')

  /** Runs one statement on a connection of its own. Not while a store has the file open with another library. */
  behind(sql: string, ...values: SQLInputValue[]): Record<string, unknown>[] {
    const db = new DatabaseSync(this.path)
    try {
      db.exec('PRAGMA busy_timeout = 5000')
      return db.prepare(sql).all(...values)
    } finally {
      db.close()
    }
  }

  files(): string[] {
    return readdirSync(this.folder).map((name) => join(this.folder, name))
  }

  /** Names of the files that contain these bytes. */
  holding(bytes: string): string[] {
    return this.files().filter((path) => readFileSync(path).includes(bytes))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
