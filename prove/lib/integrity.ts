/** What a look at a whole file finds wrong with it: by SQLite, and by the checksums that rows carry. */
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'

/** By SQLite: the structure, and every index against its table. */
export function integrityProblems(file: string): string[] {
  using db = new DatabaseSync(file)
  const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
  return rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
}

/** Tables that are their own index: SQLite has nothing to compare them with. The checksum is that of the other columns. */
const ownIndices = [
  'SELECT session, kind, id, seq, crc FROM refs',
  'SELECT session, key, hash, first, last, expires, crc FROM keys',
  'SELECT session, position, source, first, last, crc FROM segments',
  'SELECT tenant, id, crc FROM tombstones',
]

export function rowProblems(file: string): string[] {
  using db = new DatabaseSync(file)
  return ownIndices.flatMap((sql) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    const rows = statement.all() as unknown as (string | number)[][]
    return rows
      .filter((row) => crc32(JSON.stringify(row.slice(0, -1))) !== row.at(-1))
      .map((row) => `row ${row}`)
  })
}
