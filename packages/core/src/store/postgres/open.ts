/** Opening a place: the server, the role that the statements run under, the schema. */
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { citus } from './citus.ts'
import { Connections, type Place, tablesNamed } from './connection.ts'
import { isDistributed as isOnCitus, requireCitus } from './distribution.ts'
import type { PgModule } from './driver.ts'
import { storeError } from './errors.ts'
import type { Answer } from './flush.ts'
import { asCollision, identifier, migrate, newestOf, schemaVersion } from './migrate.ts'
import { migrations } from './migrations.ts'
import { patiently, persistently } from './patience.ts'
import { plain } from './plain.ts'
import { requireSyncStandby } from './replication.ts'
import type { Settings } from './settings.ts'
import type { Target } from './target.ts'

export interface PostgresOptions {
  /** The module `pg`, version 8. */
  driver: PgModule
  /** Schema that the tables are in; default `holdfast`. Letters, digits and `_`. */
  schema?: string
  /** URL of a role that may change the schema. With it, the role of the store's own URL needs no right but to read and write. */
  migrationUrl?: string
  /** Role that statements run under when the URL's own role is not bound by row-level security. Default `holdfast_app`. */
  role?: string
  /** Connections at most; default 10. Two more are made when they are needed: for the tables' owner, and to listen. */
  connections?: number
  /** Default true. False behind a transaction pooler that keeps no prepared statements: each is prepared anew then. */
  keepStatements?: boolean
  /** Default false. True: not opened (`store_unsupported`) unless each commit waits for a standby, and one is there. */
  requireSyncStandby?: boolean
  /** Opening makes the tables distributed ones by this extension, where they are not yet. Found by itself when they are. */
  distributed?: 'citus'
  /** Default true. Without it nothing is indexed and every search is empty. */
  search?: boolean
}

export interface OpenedDatabase {
  connections: Connections
  /** For what only the owner of the tables may do, and what takes as long as it takes. */
  owner: Connections
  /** Listens, and does nothing else. */
  ear: Connections
  settings: Settings
  target: Target
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

const HAS_RIGHTS = `
  SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) AND to_regclass($2) IS NOT NULL
    AND has_table_privilege($1, $2, 'INSERT')`

const oldest = 140_000
const firstTryMs = 5_000
const deadlineMs = 60_000

/** Whatever hinders a first connection (a certificate, a password that is missing …) is told in its own words. */
function openError(error: unknown): unknown {
  const known = storeError(error)
  if (isHoldfastError(known) || !(error instanceof Error)) return known
  return new HoldfastError('store_unavailable', `Postgres cannot be connected to: ${error.message}`, {
    cause: error,
  })
}

type Handles = Pick<OpenedDatabase, 'connections' | 'owner' | 'ear'>

export async function openDatabase(url: string, options: PostgresOptions): Promise<OpenedDatabase> {
  requireOptions(url, options)
  const place = placeOf(url, options)
  const alone = { ...place, connections: 1 }
  const handles: Handles = {
    connections: new Connections(place),
    owner: new Connections({ ...alone, url: options.migrationUrl ?? url, deadlineMs: undefined }),
    ear: new Connections(alone),
  }
  try {
    return await prepare(handles, options)
  } catch (error) {
    await Promise.all(Object.values(handles).map((connections) => connections.close()))
    throw openError(error)
  }
}

async function prepare(handles: Handles, options: PostgresOptions): Promise<OpenedDatabase> {
  const { connections, owner } = handles
  const server = await factsOf(connections)
  const synchronousCommit = server.synchronousCommit === 'off' ? 'on' : server.synchronousCommit
  if (options.requireSyncStandby) await requireSyncStandby(owner, synchronousCommit)
  const grantee = await granteeOf(server, connections, options)
  const isDistributed = await distributionOf(owner, options)
  const version = await schemaVersion(owner)
  const isNewest = version >= newestOf(migrations) && isDistributed !== 'wanted'
  if (!isNewest || !(await hasRights(owner, grantee)))
    await migrate(owner, { grantee, isDistributed: isDistributed !== 'no' })
  const role = server.bypasses ? (grantee as string) : server.role
  const target = isDistributed === 'no' ? plain : citus
  const settings = { role, synchronousCommit }
  return { ...handles, server, settings, target, schemaVersion: newestOf(migrations) }
}

/** The one place where it is found what the schema lies on. */
function distributionOf(
  owner: Connections,
  { distributed }: PostgresOptions,
): Promise<'yes' | 'wanted' | 'no'> {
  return owner.use(async (connection) => {
    if (distributed !== undefined) await requireCitus(connection)
    if (await isOnCitus(connection, owner.place.schema)) return 'yes'
    return distributed === undefined ? 'no' : 'wanted'
  })
}

/** The role that the statements run under, where it is another than the tables' owner. */
async function granteeOf(
  { role, bypasses }: ServerFacts,
  connections: Connections,
  { migrationUrl, role: bound = 'holdfast_app' }: PostgresOptions,
): Promise<string | undefined> {
  if (!bypasses) return migrationUrl === undefined ? undefined : role
  if (migrationUrl !== undefined) throw unbound(role)
  await makeRole(connections, bound)
  return bound
}

async function hasRights(owner: Connections, grantee: string | undefined): Promise<boolean> {
  if (grantee === undefined) return true
  const table = tablesNamed('@usage', owner.place.schema)
  const [answer] = await owner.use((connection) =>
    connection.flush([{ sql: HAS_RIGHTS, values: [grantee, table] }]),
  )
  return (answer as Answer).rows[0]?.[0] === 't'
}

/** Before anything is connected to: these are slips of the host program. */
function requireOptions(url: string, options: Partial<PostgresOptions> | undefined): void {
  if (typeof (options?.driver as Partial<PgModule> | undefined)?.Pool !== 'function') {
    throw invalid('driver: expected the module `pg`, as in `import pg from "pg"`.')
  }
  for (const given of [url, options?.migrationUrl ?? url]) {
    if (!/^postgres(ql)?:\/\//.test(String(given)))
      throw invalid('url: expected postgres://user@host/database, or several hosts with commas between them.')
  }
  const { connections = 10, role = 'holdfast_app', distributed = 'citus' } = options ?? {}
  if (!Number.isInteger(connections) || connections < 1)
    throw invalid('connections: expected a whole number from 1 on.')
  if (distributed !== 'citus') throw invalid('distributed: the only engine known is citus.')
  if (role === '' || role === 'none') throw invalid('role: expected the name of a role.')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid_input', message)
}

function placeOf(url: string, options: PostgresOptions): Place {
  const { driver, schema = 'holdfast', connections = 10, keepStatements = true } = options
  if (!/^(?!pg_)[a-z_][a-z0-9_]{0,62}$/i.test(schema)) {
    const message = `The schema name ${JSON.stringify(schema)} begins with pg_, or has more than letters, digits and _, or more than 63 of them.`
    throw invalid(message)
  }
  return { driver, url, schema, connections, deadlineMs, keepsStatements: keepStatements }
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
  const name = identifier(role)
  const bypasses = await persistently(() =>
    asCollision(() =>
      connections.use(async (connection) => {
        const [answer] = await connection.flush([{ sql: HAS_ROLE, values: [role] }])
        const [row] = (answer as Answer).rows
        // Who makes a role without being a superuser may not take it unless it is granted.
        if (!row)
          await connection.run(`CREATE ROLE ${name} NOLOGIN NOBYPASSRLS; GRANT ${name} TO CURRENT_USER`)
        return row?.[0] === 't'
      }),
    ),
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
