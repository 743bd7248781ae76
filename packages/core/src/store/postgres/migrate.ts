/**
 * Brings a schema to the newest version. All of it is one transaction that also writes the version: killed at any point
 * the schema is as before. A row that it locks makes a second process wait, which then finds nothing to do.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { Connection, Connections } from './connection.ts'
import { distribute } from './distribution.ts'
import { isCollision, sqlState } from './errors.ts'
import type { Answer, Step } from './flush.ts'
import { type Migration, migrations, tables } from './migrations.ts'
import { patiently, persistently } from './patience.ts'

export interface MigrateOptions {
  /** Role that gets the right to read and write the tables; undefined when their owner uses them. */
  grantee: string | undefined
  /** Whether the tables are to be distributed, where they are not yet. */
  isDistributed?: boolean
  /** Rising versions. */
  list?: readonly Migration[]
}

const HAS_SCHEMA = 'SELECT to_regnamespace($1) IS NOT NULL'
const HAS_VERSION = `SELECT to_regclass($1) IS NOT NULL`
const SELECT_VERSION = 'SELECT coalesce(max(version), 0) FROM @schema_version'
const LOCK_VERSION = 'SELECT 1 FROM @schema_version WHERE version = 0 FOR UPDATE'
const INSERT_VERSION = 'INSERT INTO @schema_version (version) VALUES ($1) ON CONFLICT DO NOTHING'

const opening: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS @schema_version (version int4 PRIMARY KEY)',
  'ALTER TABLE @schema_version ENABLE ROW LEVEL SECURITY',
  'DROP POLICY IF EXISTS registry ON @schema_version',
  'CREATE POLICY registry ON @schema_version FOR SELECT USING (true)',
]

/** What the schema has, or 0. Throws for one that is newer than this code. */
export async function schemaVersion(connections: Connections, list = migrations): Promise<number> {
  const { schema } = connections.place
  const version = await patiently(() => connections.use((connection) => readVersion(connection, schema)))
  return requireKnown(version, schema, list)
}

/** Gives the version that the schema now has. */
export async function migrate(connections: Connections, options: MigrateOptions): Promise<number> {
  const { list = migrations, isDistributed = false } = options
  return persistently(() =>
    asCollision(() =>
      connections.use((connection) =>
        migrateOn(connection, connections.place.schema, { ...options, list, isDistributed }),
      ),
    ),
  )
}

async function migrateOn(
  connection: Connection,
  schema: string,
  { grantee, list, isDistributed }: Required<MigrateOptions>,
): Promise<number> {
  await connection.run('BEGIN')
  try {
    await makeSchema(connection, identifier(schema))
    for (const sql of opening) await connection.run(sql)
    await connection.flush([{ sql: INSERT_VERSION, values: [0] }])
    await connection.flush([{ sql: LOCK_VERSION, values: [] }])
    const version = requireKnown(await readVersion(connection, schema), schema, list)
    for (const migration of list.filter((one) => one.version > version)) await apply(connection, migration)
    if (isDistributed) await distribute(connection, schema)
    if (grantee !== undefined) await grant(connection, schema, grantee)
    await connection.run('COMMIT')
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {})
    throw error
  }
  return newestOf(list)
}

/** One that is there may have been made by somebody who lets this role change it, but make no other. */
async function makeSchema(connection: Connection, schema: string): Promise<void> {
  const exists = await one(connection, { sql: HAS_SCHEMA, values: [schema] })
  if (exists !== 't') await connection.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
}

async function apply(connection: Connection, { version, sql }: Migration): Promise<void> {
  await connection.run(sql.join(';\n'))
  await connection.flush([{ sql: INSERT_VERSION, values: [version] }])
}

async function grant(connection: Connection, schema: string, grantee: string): Promise<void> {
  const [name, role] = [identifier(schema), identifier(grantee)]
  await connection.run(`GRANT USAGE ON SCHEMA ${name} TO ${role}`)
  await connection.run(`GRANT SELECT ON @schema_version TO ${role}`)
  const rows = tables.map((table) => `@${table}`).join(', ')
  await connection.run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${rows} TO ${role}`)
}

async function readVersion(connection: Connection, schema: string): Promise<number> {
  const exists = await one(connection, { sql: HAS_VERSION, values: [`${identifier(schema)}.schema_version`] })
  return exists === 't' ? Number(await one(connection, { sql: SELECT_VERSION, values: [] })) : 0
}

async function one(connection: Connection, step: Step): Promise<unknown> {
  const [answer] = await connection.flush([step])
  return (answer as Answer).rows[0]?.[0]
}

function requireKnown(version: number, schema: string, list: readonly Migration[]): number {
  const newest = newestOf(list)
  if (version <= newest) return version
  const message = `The schema ${schema} has version ${version}; this version of Holdfast knows ${newest}. Update Holdfast.`
  throw new HoldfastError('store_unsupported', message, { details: { version, newest } })
}

export function newestOf(list: readonly Migration[]): number {
  return list.at(-1)?.version ?? 0
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A look for what exists, `IF NOT EXISTS` too, does not see what another transaction is about to make. */
export async function asCollision<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const met = ['42P06', '42P07', '42710', 'XX000'].includes(sqlState(error) ?? '')
    if (met && !isCollision(error))
      throw Object.assign(new Error('met another migration', { cause: error }), { code: '40001' })
    throw error
  }
}
