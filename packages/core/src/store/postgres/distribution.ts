/**
 * The same tables on Citus: each is distributed by its tenant, all of them together, so that everything of a tenant lies
 * on one node and no statement of the store needs another. What is no tenant's is on every node.
 */
import { HoldfastError } from '@holdfast/protocol'
import { type Connection, tablesNamed } from './connection.ts'
import type { Answer, Step } from './flush.ts'
import { tables } from './migrations.ts'

const registries: readonly string[] = ['tenants', 'schema_version']

const HAS_CITUS = `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`
const HAS_SHARDS = `SELECT to_regclass($1) IS NOT NULL
  AND EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass($1))`

const DISTRIBUTE = `SELECT create_distributed_table($1::text::regclass, 'tenant', colocate_with => $2)`
const COPY_TO_ALL = 'SELECT create_reference_table($1::text::regclass)'

/** The others lie where its shards do. */
const first = 'sessions'

/** What makes a table of the schema a distributed one. */
export function distributionStep(schema: string, table: string): Step {
  const named = tablesNamed(`@${table}`, schema)
  if (registries.includes(table)) return { sql: COPY_TO_ALL, values: [named] }
  return { sql: DISTRIBUTE, values: [named, table === first ? 'none' : tablesNamed(`@${first}`, schema)] }
}

/** In the order that they are made in. */
export const distributedTables: readonly string[] = [
  first,
  ...tables.filter((table) => table !== first && !registries.includes(table)),
  ...registries,
]

/** Throws `store_unsupported` where the database has no such extension. */
export async function requireCitus(connection: Connection): Promise<void> {
  if (await hasCitus(connection)) return
  throw new HoldfastError(
    'store_unsupported',
    'This database has no extension citus: install it on every node and run CREATE EXTENSION citus, or leave out the distribution.',
  )
}

/** Distributes what is not distributed yet. Rows that are there move to their shards. */
export async function distribute(connection: Connection, schema: string): Promise<void> {
  for (const table of distributedTables) {
    if (!(await hasShards(connection, schema, table)))
      await connection.flush([distributionStep(schema, table)])
  }
}

/** Whether the schema is on Citus, by the table that each commit goes to. */
export async function isDistributed(connection: Connection, schema: string): Promise<boolean> {
  return (await hasCitus(connection)) && hasShards(connection, schema, first)
}

async function hasCitus(connection: Connection): Promise<boolean> {
  const [answer] = await connection.flush([{ sql: HAS_CITUS, values: [] }])
  return (answer as Answer).rows[0]?.[0] === 't'
}

async function hasShards(connection: Connection, schema: string, table: string): Promise<boolean> {
  const [answer] = await connection.flush([{ sql: HAS_SHARDS, values: [tablesNamed(`@${table}`, schema)] }])
  return (answer as Answer).rows[0]?.[0] === 't'
}
