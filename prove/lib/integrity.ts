import { DatabaseSync } from 'node:sqlite'

/** What SQLite itself finds wrong with the file, its indices included. */
export function integrityProblems(file: string): string[] {
  const db = new DatabaseSync(file)
  try {
    const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    return rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
  } finally {
    db.close()
  }
}
