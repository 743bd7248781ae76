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
const keptRestMs = 5_000

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
    // Nothing would ask for an answer.
    if (steps.length === 0) return Promise.resolve([])
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
  readonly #hosts: readonly Host[]
  /** Where the last connection was had, and is looked for first. */
  #current = 0
  readonly #known = new WeakMap<PgClient, Connection>()
  readonly #texts = new Map<string, string>()
  #isClosed = false

  constructor(place: Place) {
    this.place = place
    this.#hosts = urlsOfHosts(place.url).map((url) => hostOf(place, url))
  }

  /** The one that is kept where the last connection was had, if it is free: without waiting a turn for it. */
  lendKept(): Loan | undefined {
    const lent = this.#host.kept.take()
    return lent && loanOf(lent)
  }

  get #host(): Host {
    return this.#hosts[this.#current] as Host
  }

  /** Rejects with the error of connecting, before anything was sent. */
  async lend(): Promise<Loan> {
    const { pool } = this.#host
    // A pool hands out an idle one a turn later: it is another's already when as many wait.
    const kept = pool.idleCount > pool.waitingCount ? undefined : this.lendKept()
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

  /** The hosts from the one that was the primary last. */
  #order(): number[] {
    const { length } = this.#hosts
    const from = this.#current
    return this.#hosts.map((_, step) => (from + step) % length)
  }

  async #lendAt(at: number): Promise<Loan> {
    const { pool, kept } = this.#hosts[at] as Host
    const client = await pool.connect()
    try {
      return loanOf({ pool, kept, client, connection: await this.#connectionOf(client) })
    } catch (error) {
      client.release(isLost(error))
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
    const [answer] = await connection.flush([{ sql: WHO_ANSWERS, values: [] }])
    const [isStandby, process] = (answer as Answer).rows[0] as Row
    if (isStandby === 'true') throw new StandbyServer()
    // A pooler makes a number up for its clients, for it gives them this process and that.
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
    for (const { kept } of this.#hosts) kept.close()
    await Promise.all(this.#hosts.map(({ pool }) => pool.end()))
  }
}

interface Host {
  pool: PgPool
  kept: Kept<Borrowed>
}

interface Borrowed extends Lent {
  kept: Kept<Borrowed>
  connection: Connection
}

export interface Loan {
  client: PgClient
  connection: Connection
  /** With the error that ended the use of it, if one did. May be called twice. */
  giveBack(error: unknown): void
  isLent(): boolean
}

function loanOf(lent: Borrowed): Loan {
  const { kept, client, connection } = lent
  let isLent = true
  const giveBack = (error: unknown) => {
    if (!isLent) return
    isLent = false
    if (isLost(error)) kept.lose(client)
    else kept.put(lent)
  }
  return { client, connection, giveBack, isLent: () => isLent }
}

function hostOf(place: Place, url: string): Host {
  const kept = new Kept<Borrowed>(keptRestMs)
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
  pool.on('connect', (client: PgClient) => client.on('error', () => kept.drop(client)))
  return { pool, kept }
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
