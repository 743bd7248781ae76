/**
 * The same tables on Citus: each is distributed by its tenant, all of them together, so that everything of a tenant lies
 * on one node and no statement of the store needs another. What is no tenant's is on every node.
 */
import { HoldfastError } from '@holdfast/protocol'
import type { Connection } from './connection.ts'
import type { Answer } from './flush.ts'
import { tables } from './migrations.ts'

const registries: readonly string[] = ['tenants', 'schema_version']

const HAS_CITUS = `SELECT EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'citus')`
const HAS_SHARDS = `SELECT to_regclass($1) IS NOT NULL
  AND EXISTS (SELECT 1 FROM pg_dist_partition WHERE logicalrelid = to_regclass($1))`

/** By the first of them: the others lie where its shards do. */
const first = 'sessions'

/** What makes a table of the schema a distributed one. `@name` is the table. */
export function distributionSql(table: string): string {
  if (registries.includes(table)) return `SELECT create_reference_table('@${table}')`
  const beside = table === first ? 'none' : `@${first}`
  return `SELECT create_distributed_table('@${table}', 'tenant', colocate_with => '${beside}')`
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
    if (!(await hasShards(connection, schema, table))) await connection.run(distributionSql(table))
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
  const [answer] = await connection.flush([{ sql: HAS_SHARDS, values: [`"${schema}".${table}`] }])
  return (answer as Answer).rows[0]?.[0] === 't'
}
