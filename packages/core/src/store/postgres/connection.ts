/**
 * Connections to the server that takes writes: a pool of them for each host of the URL, the statements that each has
 * prepared, and the names of the tables.
 */
import { HoldfastError } from '@holdfast/protocol'
import { Binds } from './binds.ts'
import type { PgClient, PgModule, PgPool, Row } from './driver.ts'
import { isOutage, isUnreplicated, StandbyServer, sqlState, UnreplicatedCommit } from './errors.ts'
import { type Answer, Flush, Prepared, type Step } from './flush.ts'
import { urlsOfHosts } from './hosts.ts'
import { Kept, type Lent } from './kept.ts'
import { Standing } from './standing.ts'

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
const WHO_ANSWERS = 'SELECT pg_is_in_recovery()::text, pg_backend_pid()'

export class Connection {
  readonly #client: PgClient
  readonly #nameTables: (sql: string) => string
  readonly #prepared: Prepared
  readonly #binds = new Binds()
  #latest: Flush | undefined
  /** Absent where another may be given what answers us. */
  standing: Standing | undefined

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
    const flush = new Flush(steps, this.#nameTables, this.#prepared, this.#binds)
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
  readonly #kept = new Kept<Borrowed>(idleTimeoutMs)
  #isClosed = false

  constructor(place: Place) {
    this.place = place
    const isBroken = (client: PgClient) => this.#kept.drop(client)
    this.#pools = urlsOfHosts(place.url).map((url) => poolOf(place, url, isBroken))
  }

  /** The one that was used last, if it is free: without waiting a turn for it. */
  lendKept(): Loan | undefined {
    const lent = this.#kept.take()
    return lent && this.#loanOf(lent)
  }

  /** Rejects with the error of connecting, before anything was sent. */
  async lend(): Promise<Loan> {
    const kept = this.#hasIdle() ? undefined : this.lendKept()
    if (kept) return kept
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

  #hasIdle(): boolean {
    return (this.#pools[this.#current] as PgPool).idleCount > 0
  }

  /** The hosts from the one that was the primary last. */
  #order(): number[] {
    const { length } = this.#pools
    const from = this.#current
    return this.#pools.map((_, step) => (from + step) % length)
  }

  async #lendAt(at: number): Promise<Loan> {
    const pool = this.#pools[at] as PgPool
    const client = await pool.connect()
    try {
      return this.#loanOf({ pool, client, connection: await this.#connectionOf(client) })
    } catch (error) {
      client.release(isLost(error))
      throw error
    }
  }

  #loanOf(lent: Borrowed): Loan {
    const { client, connection } = lent
    let isLent = true
    const giveBack = (error: unknown) => {
      if (!isLent) return
      isLent = false
      if (isLost(error)) this.#kept.lose(client)
      else this.#kept.put(lent)
    }
    return { client, connection, giveBack, isLent: () => isLent }
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
    const [answer] = await connection.flush([{ sql: WHO_ANSWERS, values: [] }])
    const [isStandby, process] = (answer as Answer).rows[0] as Row
    if (isStandby === 'true') throw new StandbyServer()
    // A pooler makes a number up for its clients.
    const isAlone = this.place.keepsStatements && Number(process) === client.processID
    if (isAlone) connection.standing = new Standing()
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
    this.#kept.close()
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }
}

interface Borrowed extends Lent {
  connection: Connection
}

export interface Loan {
  client: PgClient
  connection: Connection
  /** With the error that ended the use of it, if one did. May be called twice. */
  giveBack(error: unknown): void
  isLent(): boolean
}

function poolOf(place: Place, url: string, isBroken: (client: PgClient) => void): PgPool {
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
  pool.on('connect', (client: PgClient) => client.on('error', () => isBroken(client)))
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
