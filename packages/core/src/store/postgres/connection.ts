/** Connections to the server: a pool of them, the statements that each has prepared, and the names of the tables. */
import { HoldfastError } from '@holdfast/protocol'
import type { PgClient, PgModule, PgPool } from './driver.ts'
import { isOutage, sqlState } from './errors.ts'
import { type Answer, Flush, Prepared, type Step } from './flush.ts'

export interface Place {
  driver: PgModule
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

export class Connection {
  readonly #client: PgClient
  readonly #nameTables: (sql: string) => string
  readonly #prepared: Prepared

  constructor(client: PgClient, nameTables: (sql: string) => string, keepsStatements: boolean) {
    this.#client = client
    this.#nameTables = nameTables
    this.#prepared = new Prepared(keepsStatements)
  }

  /** One transaction, if none is open. */
  flush(steps: readonly Step[]): Promise<Answer[]> {
    const named = steps.map((step) => (step.isUnlike ? step : { ...step, sql: this.#nameTables(step.sql) }))
    const flush = new Flush(named, this.#prepared)
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
  readonly #pool: PgPool
  readonly #known = new WeakMap<PgClient, Connection>()
  readonly #texts = new Map<string, string>()
  #isClosed = false

  constructor(place: Place) {
    this.place = place
    this.#pool = new place.driver.Pool({
      connectionString: place.url,
      max: place.connections,
      application_name: 'holdfast',
      connectionTimeoutMillis: connectTimeoutMs,
      idleTimeoutMillis: idleTimeoutMs,
      keepAlive: true,
      ...(place.deadlineMs !== undefined && { query_timeout: place.deadlineMs }),
    })
    // A connection that dies while nobody uses it is taken out of the pool; whoever uses one meets the error there.
    this.#pool.on('error', () => {})
    this.#pool.on('connect', (client: PgClient) => client.on('error', () => {}))
  }

  /** Rejects with the error of connecting, before anything was sent. */
  async lend(): Promise<Loan> {
    if (this.#isClosed)
      throw new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
    const client = await this.#pool.connect()
    let isLent = true
    const giveBack = (error: unknown) => {
      if (isLent) client.release(isLost(error))
      isLent = false
    }
    return { client, connection: this.#connectionOf(client), giveBack, isLent: () => isLent }
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

  #connectionOf(client: PgClient): Connection {
    const known = this.#known.get(client)
    if (known) return known
    const connection = new Connection(client, (sql) => this.#nameTables(sql), this.place.keepsStatements)
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
    await this.#pool.end()
  }
}

export interface Loan {
  client: PgClient
  connection: Connection
  /** With the error that ended the use of it, if one did. May be called twice. */
  giveBack(error: unknown): void
  isLent(): boolean
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
