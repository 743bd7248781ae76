/** Opening a place: the server, the role that the statements run under, the schema. */
import { HoldfastError } from '@holdfast/protocol'
import { Connections, type Place } from './connection.ts'
import type { PgModule } from './driver.ts'
import { storeError } from './errors.ts'
import type { Answer } from './flush.ts'
import { identifier, migrate, newestOf, schemaVersion } from './migrate.ts'
import { migrations } from './migrations.ts'
import { patiently, persistently } from './patience.ts'
import type { Settings } from './settings.ts'

export interface PostgresOptions {
  /** The module `pg`, version 8. */
  driver: PgModule
  /** Schema that the tables are in; default `holdfast`. Letters, digits and `_`. */
  schema?: string
  /** URL of a role that may change the schema. With it, the role of the store's own URL needs no right but to read and write. */
  migrationUrl?: string
  /** Role that statements run under when the URL's own role is not bound by row-level security. Default `holdfast_app`. */
  role?: string
  /** Connections at most; default 10. */
  connections?: number
  /** Default true. Without it nothing is indexed and every search is empty. */
  search?: boolean
}

export interface OpenedDatabase {
  connections: Connections
  /** For what only the owner of the tables may do. */
  owner: Connections
  settings: Settings
  server: ServerFacts
  schemaVersion: number
}

export interface ServerFacts {
  version: string
  role: string
  /** Row-level security does not bind this role. */
  bypasses: boolean
  fsync: string
  fullPageWrites: string
  synchronousCommit: string
  nowMs: number
  /** New for each handle. */
  handle: string
}

const SELECT_FACTS = `
  SELECT current_setting('server_version'), current_setting('server_version_num'), current_setting('server_encoding'),
    current_user, (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user),
    current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
    (extract(epoch FROM clock_timestamp()) * 1000)::int8, gen_random_uuid()`

const HAS_ROLE = 'SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = $1'

const oldest = 140_000
const firstTryMs = 5_000

export async function openDatabase(url: string, options: PostgresOptions): Promise<OpenedDatabase> {
  const place = placeOf(url, options)
  const connections = new Connections(place)
  const { migrationUrl } = options
  const owner =
    migrationUrl === undefined
      ? connections
      : new Connections({ ...place, url: migrationUrl, connections: 1 })
  try {
    return await prepare({ connections, owner }, options)
  } catch (error) {
    await Promise.all([connections.close(), owner.close()])
    throw storeError(error)
  }
}

async function prepare(
  handles: Pick<OpenedDatabase, 'connections' | 'owner'>,
  options: PostgresOptions,
): Promise<OpenedDatabase> {
  const { connections, owner } = handles
  const server = await factsOf(connections)
  const role = server.bypasses ? (options.role ?? 'holdfast_app') : 'none'
  if (server.bypasses && owner !== connections) throw unbound(server.role)
  const version = await schemaVersion(connections)
  if (server.bypasses) await makeRole(connections, role)
  const grantee = server.bypasses ? role : owner === connections ? undefined : server.role
  if (version < newestOf(migrations) || server.bypasses) await migrate(owner, { grantee })
  const synchronousCommit = server.synchronousCommit === 'off' ? 'on' : server.synchronousCommit
  return { ...handles, server, settings: { role, synchronousCommit }, schemaVersion: newestOf(migrations) }
}

function placeOf(url: string, { driver, schema = 'holdfast', connections = 10 }: PostgresOptions): Place {
  if (!/^[a-z_][a-z0-9_]{0,62}$/i.test(schema)) {
    const message = `The schema name ${JSON.stringify(schema)} has more than letters, digits and _, or more than 63 of them.`
    throw new HoldfastError('invalid_input', message)
  }
  return { driver, url, schema, connections }
}

async function factsOf(connections: Connections): Promise<ServerFacts> {
  const [answer] = await patiently(
    () => connections.use((connection) => connection.flush([{ sql: SELECT_FACTS, values: [] }])),
    firstTryMs,
  )
  const [version, number, encoding, role, bypasses, fsync, fullPageWrites, synchronousCommit, nowMs, handle] =
    (answer as Answer).rows[0] ?? []
  if (Number(number) < oldest) throw unsupported(`Postgres ${version} is too old; use 14 or newer.`)
  if (encoding !== 'UTF8')
    throw unsupported(`The database has the encoding ${encoding}; create one with UTF8.`)
  return {
    version,
    role,
    bypasses: bypasses === 't',
    fsync,
    fullPageWrites,
    synchronousCommit,
    nowMs: Number(nowMs),
    handle,
  }
}

/** A role that nobody can log in as and that row-level security binds. */
async function makeRole(connections: Connections, role: string): Promise<void> {
  const bypasses = await persistently(() =>
    connections.use(async (connection) => {
      const [answer] = await connection.flush([{ sql: HAS_ROLE, values: [role] }])
      const [row] = (answer as Answer).rows
      if (!row) await connection.run(`CREATE ROLE ${identifier(role)} NOLOGIN NOBYPASSRLS`)
      return row?.[0] === 't'
    }),
  )
  if (bypasses) throw unbound(role)
}

function unbound(role: string): HoldfastError {
  return unsupported(
    `Row-level security does not bind the role ${role}; use one without SUPERUSER and BYPASSRLS.`,
  )
}

function unsupported(message: string): HoldfastError {
  return new HoldfastError('store_unsupported', message)
}
