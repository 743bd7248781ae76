/**
 * Connections to the server that takes writes: a pool of them for each host of the URL, the statements that each has
 * prepared, and the names of the tables.
 */
import { HoldfastError } from '@holdfast/protocol'
import { Binds } from './binds.ts'
import type { PgClient, PgModule, PgPool } from './driver.ts'
import { isOutage, isUnreplicated, StandbyServer, sqlState, UnreplicatedCommit } from './errors.ts'
import { type Answer, Flush, Prepared, type Step } from './flush.ts'
import { urlsOfHosts } from './hosts.ts'

export interface Place {
  driver: PgModule
  /** Names one host or several. */
  url: string
  schema: string
  /** Connections at most. */
  connections: number
  /** How long a statement may take before its connection is given up; undefined for as long as it needs. */
  deadlineMs: number | undefined
  /** Whether a connection keeps the statements that it has prepared. */
  keepsStatements: boolean
}

const connectTimeoutMs = 10_000
const idleTimeoutMs = 30_000

/** A primary that was told to write nothing says no: it may be read, and refuses writes itself. */
const IS_STANDBY = 'SELECT pg_is_in_recovery()::text'

export class Connection {
  readonly #client: PgClient
  readonly #nameTables: (sql: string) => string
  readonly #prepared: Prepared
  readonly #binds = new Binds()
  #latest: Flush | undefined

  constructor(client: PgClient, nameTables: (sql: string) => string, keepsStatements: boolean) {
    this.#client = client
    this.#nameTables = nameTables
    this.#prepared = new Prepared(keepsStatements)
    client.on('notice', (notice: { routine?: string }) => {
      if (isUnreplicated(notice)) this.#latest?.doubt(new UnreplicatedCommit())
    })
  }

  /** One transaction, if none is open. */
  flush(steps: readonly Step[]): Promise<Answer[]> {
    const named = steps.map((step) => (step.isUnlike ? step : { ...step, sql: this.#nameTables(step.sql) }))
    const flush = new Flush(named, this.#prepared, this.#binds)
    this.#latest = flush
    this.#client.query(flush)
    return flush.answers
  }

  /** For what the protocol of prepared statements does not do: VACUUM, and several statements in one text. */
  async run(sql: string): Promise<void> {
    await this.#client.query(this.#nameTables(sql))
  }
}

export class Connections {
  readonly place: Place
  readonly #pools: readonly PgPool[]
  /** Where the last connection was had, and is looked for first. */
  #current = 0
  readonly #known = new WeakMap<PgClient, Connection>()
  readonly #texts = new Map<string, string>()
  #isClosed = false

  constructor(place: Place) {
    this.place = place
    this.#pools = urlsOfHosts(place.url).map((url) => poolOf(place, url))
  }

  /** Rejects with the error of connecting, before anything was sent. */
  async lend(): Promise<Loan> {
    if (this.#isClosed)
      throw new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
    const errors: unknown[] = []
    for (const at of this.#order()) {
      try {
        const loan = await this.#lendAt(at)
        this.#current = at
        return loan
      } catch (error) {
        if (!isOutage(error)) throw error
        errors.push(error)
      }
    }
    throw errors[0]
  }

  /** The hosts from the one that was the primary last. */
  #order(): number[] {
    const { length } = this.#pools
    const from = this.#current
    return this.#pools.map((_, step) => (from + step) % length)
  }

  async #lendAt(at: number): Promise<Loan> {
    const client = await (this.#pools[at] as PgPool).connect()
    let isLent = true
    const giveBack = (error: unknown) => {
      if (isLent) client.release(isLost(error))
      isLent = false
    }
    try {
      return { client, connection: await this.#connectionOf(client), giveBack, isLent: () => isLent }
    } catch (error) {
      giveBack(error)
      throw error
    }
  }

  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const { connection, giveBack } = await this.lend()
    let failure: unknown
    try {
      return await work(connection)
    } catch (error) {
      failure = error
      throw error
    } finally {
      giveBack(failure)
    }
  }

  /** A new connection is asked whether its server is a standby: a primary becomes none while the connection lasts. */
  async #connectionOf(client: PgClient): Promise<Connection> {
    const known = this.#known.get(client)
    if (known) return known
    const connection = new Connection(client, (sql) => this.#nameTables(sql), this.place.keepsStatements)
    const [answer] = await connection.flush([{ sql: IS_STANDBY, values: [] }])
    if ((answer as Answer).rows[0]?.[0] === 'true') throw new StandbyServer()
    this.#known.set(client, connection)
    return connection
  }

  /** `sql` is a constant of this folder, so what is kept here is bounded. */
  #nameTables(sql: string): string {
    const known = this.#texts.get(sql)
    if (known !== undefined) return known
    const named = tablesNamed(sql, this.place.schema)
    this.#texts.set(sql, named)
    return named
  }

  /** Resolves when every connection is closed; what is lent is waited for. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }
}

export interface Loan {
  client: PgClient
  connection: Connection
  /** With the error that ended the use of it, if one did. May be called twice. */
  giveBack(error: unknown): void
  isLent(): boolean
}

function poolOf(place: Place, url: string): PgPool {
  const pool = new place.driver.Pool({
    connectionString: url,
    max: place.connections,
    application_name: 'holdfast',
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: idleTimeoutMs,
    keepAlive: true,
    ...(place.deadlineMs !== undefined && { query_timeout: place.deadlineMs }),
  })
  // A connection that dies while nobody uses it is taken out of the pool; whoever uses one meets the error there.
  pool.on('error', () => {})
  pool.on('connect', (client: PgClient) => client.on('error', () => {}))
  return pool
}

/** `@name` is the table `name` of the schema. */
export function tablesNamed(sql: string, schema: string): string {
  return sql.replace(/(?<![@\w])@(?=[a-z])/g, `"${schema}".`)
}

/** Whether the connection is not to be used again: after an error of a statement it is, for that ended its transaction. */
function isLost(error: unknown): boolean {
  if (error === undefined || error instanceof HoldfastError) return false
  return sqlState(error) === undefined || isOutage(error)
}
