/**
 * Every use of the database goes through here. A transaction has one tenant, which row-level security holds it to. A
 * read, and a write that needs no answer half-way, is one flush: one round trip. Only what must look before it writes
 * talks back and forth.
 */
import { HoldfastError, type TenantId } from '@holdfast/protocol'
import type { Connection, Connections, Loan } from './connection.ts'
import type { Row, SqlValue } from './driver.ts'
import { isOutage, storeError, writeError } from './errors.ts'
import { type Answer, BEGIN, COMMIT, ROLLBACK, type Step } from './flush.ts'
import { patiently, persistently } from './patience.ts'
import type { Sending } from './sending.ts'
import { absenceStep, type noTenant, type Settings, settingsStep, settingsStepForKey } from './settings.ts'

export class Transactions {
  readonly #connections: Connections
  readonly #settings: Settings
  readonly #sending: Sending
  #underWay = 0
  #atRest: (() => void) | undefined
  #closing: Promise<void> | undefined

  constructor(connections: Connections, settings: Settings, sending: Sending) {
    this.#connections = connections
    this.#settings = settings
    this.#sending = sending
  }

  /** Rows of one statement, which sees one state. Sent again when the connection breaks. */
  async read(tenant: TenantId | typeof noTenant, sql: string, ...values: SqlValue[]): Promise<Row[]> {
    const [answer] = await this.readAll(tenant, [{ sql, values }])
    return (answer as Answer).rows
  }

  /** Answers of several statements; each sees its own state. `bitmapScan` for the index of words, which knows no other way. */
  async readAll(
    tenant: TenantId | typeof noTenant,
    steps: readonly Step[],
    { bitmapScan = false } = {},
  ): Promise<Answer[]> {
    const settings = settingsStep(this.#settings, tenant, bitmapScan ? 'on' : 'off')
    return (await this.#read([settings, ...steps])).slice(1)
  }

  async #read(steps: readonly Step[]): Promise<Answer[]> {
    this.#begin()
    try {
      return await patiently(() =>
        this.#connections.use((connection) => this.#sending.flush(connection, steps)),
      )
    } catch (error) {
      throw storeError(error)
    } finally {
      this.#end()
    }
  }

  /** Rows of a statement that looks into no table: nothing needs to be set for it. */
  askServer(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    return this.#read([{ sql, values }]).then(([answer]) => (answer as Answer).rows)
  }

  /** All of the statements or none, in one round trip. */
  async write(tenant: TenantId, steps: readonly Step[]): Promise<Answer[]> {
    if (steps.every(({ markAt }) => markAt !== undefined)) return this.#writeByKey(tenant, steps)
    const all = [settingsStep(this.#settings, tenant), ...steps]
    const answers = await this.#run((connection) => this.#sending.flush(connection, all))
    return answers.slice(1)
  }

  #writeByKey(tenant: TenantId, steps: readonly Step[]): Promise<Answer[]> {
    return this.#run(async (connection) => {
      const send = (some: readonly Step[]) => this.#sending.flush(connection, some)
      const { standing } = connection
      if (standing && !standing.isLost) return standing.send(this.#settings, tenant, steps, send)
      return (await send([settingsStepForKey(this.#settings, tenant), ...steps])).slice(1)
    })
  }

  /** All that `work` does or nothing; it is run anew when another transaction was in the way. */
  transact<T>(tenant: TenantId, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#run(async (connection) => {
      const first = [BEGIN, settingsStep(this.#settings, tenant), absenceStep]
      const tx = new Transaction(connection, this.#sending, first)
      try {
        const result = await work(tx)
        await tx.commit()
        return result
      } catch (error) {
        if (!isOutage(error)) await tx.rollback()
        throw tx.isCommitting || !isOutage(error) ? error : storeError(error)
      }
    })
  }

  async #run<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    this.#begin()
    try {
      return await persistently(() => this.#attempt(work))
    } catch (error) {
      throw writeError(error)
    } finally {
      this.#end()
    }
  }

  /** Waits for a connection; once there is one, a failure may have had an effect. */
  async #attempt<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const loan = this.#connections.lendKept() ?? (await this.#lend())
    let failure: unknown
    try {
      return await work(loan.connection)
    } catch (error) {
      failure = error
      throw error
    } finally {
      loan.giveBack(failure)
    }
  }

  async #lend(): Promise<Loan> {
    try {
      return await patiently(() => this.#connections.lend())
    } catch (error) {
      throw storeError(error)
    }
  }

  requireOpen(): void {
    if (this.#closing) {
      throw new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
    }
  }

  #begin(): void {
    this.requireOpen()
    this.#underWay += 1
  }

  #end(): void {
    this.#underWay -= 1
    if (this.#underWay === 0) this.#atRest?.()
  }

  /** Resolves when what was begun is done. Later calls reject. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#atRest = resolve))
    await this.#connections.close()
  }
}

/** A transaction that talks back and forth. What is only sent waits for the next question, and goes with it. */
export class Transaction {
  readonly #connection: Connection
  readonly #sending: Sending
  #waiting: Sent[]
  #hasBegun = false
  /** From here on a broken connection does not say that nothing was written. */
  isCommitting = false

  constructor(connection: Connection, sending: Sending, opening: readonly Step[]) {
    this.#connection = connection
    this.#sending = sending
    this.#waiting = opening.map((step) => ({ step }))
  }

  /** `check` sees the answer before the transaction commits, and may throw. */
  send(step: Step, check?: (answer: Answer) => void): void {
    this.#waiting.push(check ? { step, check } : { step })
  }

  async all(sql: string, ...values: SqlValue[]): Promise<Row[]> {
    const [answer] = await this.ask([{ sql, values }])
    return (answer as Answer).rows
  }

  /** Answers of these steps. */
  async ask(steps: readonly Step[]): Promise<Answer[]> {
    const before = this.#waiting.length
    for (const step of steps) this.send(step)
    return (await this.#flush()).slice(before)
  }

  async commit(): Promise<void> {
    if (this.#waiting.some(({ check }) => check)) await this.#flush()
    this.isCommitting = true
    await this.ask([COMMIT])
  }

  /** Whatever it was that failed: on a broken connection there is nothing to roll back. */
  async rollback(): Promise<void> {
    if (!this.#hasBegun) return
    this.#waiting = []
    await this.#connection.flush([ROLLBACK]).catch(() => {})
  }

  async #flush(): Promise<Answer[]> {
    const sent = this.#waiting
    this.#waiting = []
    this.#hasBegun = true
    const answers = await this.#sending.inBlock(
      this.#connection,
      sent.map(({ step }) => step),
    )
    for (const [index, { check }] of sent.entries()) check?.(answers[index] as Answer)
    return answers
  }
}

interface Sent {
  step: Step
  check?: (answer: Answer) => void
}
