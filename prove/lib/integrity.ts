/** What a look at everything that is there finds wrong with it: by the database itself, and by the checksums that rows carry. */
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import { withClient } from '../../tools/postgres/client.ts'
import type { Place, ServerPlace } from './stores.ts'

/** By the database: its structure, and every index against its table. */
export async function integrityProblems(place: Place): Promise<string[]> {
  return 'file' in place ? problemsOfFile(place.file) : problemsOfSchema(place)
}

function problemsOfFile(file: string): string[] {
  using db = new DatabaseSync(file)
  const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
  return rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
}

const HEAP_PROBLEMS = `
  SELECT c.relname || ': ' || problem.msg AS problem
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, LATERAL verify_heapam(c.oid) AS problem
  WHERE n.nspname = $1 AND c.relkind = 'r'`

const BTREES = `
  SELECT i.indexrelid::regclass::text AS index
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relam = (SELECT oid FROM pg_am WHERE amname = 'btree')`

/** Every row can be read, and every index holds every row of its table, in order. */
function problemsOfSchema({ url, migrationUrl = url, schema }: ServerPlace): Promise<string[]> {
  return withClient(migrationUrl, async (client) => {
    await client.query('CREATE EXTENSION IF NOT EXISTS amcheck')
    const heaps = await client.query<{ problem: string }>(HEAP_PROBLEMS, [schema])
    const problems = heaps.rows.map(({ problem }) => problem)
    for (const { index } of (await client.query<{ index: string }>(BTREES, [schema])).rows) {
      const check = client.query('SELECT bt_index_check($1::regclass, true)', [index])
      await check.catch((error: Error) => problems.push(`${index}: ${error.message}`))
    }
    return problems
  })
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
