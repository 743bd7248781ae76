/** What the database itself finds wrong with its own files, indices included. */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { Place, ServerPlace } from './stores.ts'

export async function integrityProblems(place: Place): Promise<string[]> {
  return 'file' in place ? problemsOfFile(place.file) : problemsOfSchema(place)
}

function problemsOfFile(file: string): string[] {
  const db = new DatabaseSync(file)
  try {
    const rows = db.prepare('PRAGMA integrity_check').all() as { integrity_check: string }[]
    return rows.map((row) => row.integrity_check).filter((problem) => problem !== 'ok')
  } finally {
    db.close()
  }
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
async function problemsOfSchema({ url, migrationUrl = url, schema }: ServerPlace): Promise<string[]> {
  const client = new pg.Client({ connectionString: migrationUrl })
  await client.connect()
  try {
    await client.query('CREATE EXTENSION IF NOT EXISTS amcheck')
    const heaps = await client.query<{ problem: string }>(HEAP_PROBLEMS, [schema])
    const problems = heaps.rows.map(({ problem }) => problem)
    for (const { index } of (await client.query<{ index: string }>(BTREES, [schema])).rows) {
      const check = client.query('SELECT bt_index_check($1::regclass, true)', [index])
      await check.catch((error: Error) => problems.push(`${index}: ${error.message}`))
    }
    return problems
  } finally {
    await client.end()
  }
}
