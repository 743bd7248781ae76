/**
 * Every use of the connection goes through here: reads at once, writes in a queue whose waiting jobs share one
 * transaction, and so one wait for the disk. A job is synchronous, so nothing comes between its statements.
 */
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { elapsed } from '../clock.ts'
import type { Connection } from './connection.ts'
import { commitError, isBusy, storeClosed, storeError } from './errors.ts'
import type { OpenedDatabase } from './open.ts'
import { patiently } from './patience.ts'

interface Job {
  /** Does the work inside the transaction and keeps its result or its refusal. */
  work(): void
  /** Tells the caller, once the transaction is durable. */
  settle(): void
  fail(error: unknown): void
}

/** Jobs of one transaction: bounds how long the file stays locked. */
const jobsAtOnce = 256

export class Transactions {
  readonly #db: Connection
  readonly #schemaVersion: number
  readonly #waiting: Job[] = []
  readonly #listeners = new Set<{ call: (tookMs: number) => void }>()
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor({ db, schemaVersion }: OpenedDatabase) {
    this.#db = db
    this.#schemaVersion = schemaVersion
  }

  /** Tells of every COMMIT how long it took. Returns the way to stop. */
  onSync(call: (tookMs: number) => void): () => void {
    const listener = { call }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async read<T>(work: (db: Connection) => T): Promise<T> {
    this.#requireOpen()
    try {
      return await patiently(() => this.#attempt(() => work(this.#db)))
    } catch (error) {
      throw storeError(error)
    }
  }

  /** `work` may throw a `HoldfastError` before it wrote anything: that refuses it alone. */
  write<T>(work: (db: Connection) => T): Promise<T> {
    return this.#enqueue(work, () => queueMicrotask(() => this.#drain()))
  }

  /** As `write`, but waits for what else this turn of the event loop brings. */
  gather<T>(work: (db: Connection) => T): Promise<T> {
    return this.#enqueue(work, () => setImmediate(() => this.#drain()))
  }

  /** Resolves when what was queued is done. Later calls reject. */
  close(): Promise<void> {
    this.#closing ??= this.#finish()
    return this.#closing
  }

  async #finish(): Promise<void> {
    this.#drain()
    await this.#draining
    this.#db.close()
  }

  async #enqueue<T>(work: (db: Connection) => T, wake: () => void): Promise<T> {
    this.#requireOpen()
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push(jobOf(() => work(this.#db), resolve, reject))
      wake()
    })
  }

  #requireOpen(): void {
    if (this.#closing) throw storeClosed()
  }

  #drain(): void {
    if (this.#draining || this.#waiting.length === 0) return
    this.#draining = this.#runWaiting().finally(() => {
      this.#draining = undefined
    })
  }

  async #runWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      try {
        await patiently(() => this.#attempt(() => this.#transact()))
      } catch (error) {
        for (const job of this.#waiting.splice(0)) job.fail(storeError(error))
      }
    }
  }

  /** From BEGIN to COMMIT without a turn of anything else: the connection is the same that reads use. */
  #transact(): void {
    this.#db.run('BEGIN IMMEDIATE')
    try {
      this.#requireSchema()
    } catch (error) {
      this.#rollback()
      throw error
    }
    this.#runTogether(this.#waiting.splice(0, jobsAtOnce))
  }

  /** A newer process may have migrated the file under an older one, which must not go on writing then. */
  #requireSchema(): void {
    const version = this.#db.get('PRAGMA user_version')?.[0]
    if (version === this.#schemaVersion) return
    const message = `The database was migrated to schema version ${version} by another process; update this one.`
    throw new HoldfastError('store_unsupported', message, { details: { version } })
  }

  #runTogether(jobs: readonly Job[]): void {
    const error = this.#work(jobs) ?? this.#commit()
    for (const job of jobs) {
      if (error === undefined) job.settle()
      else job.fail(error)
    }
  }

  #work(jobs: readonly Job[]): unknown {
    try {
      for (const job of jobs) job.work()
      return undefined
    } catch (error) {
      this.#db.note(error)
      this.#rollback()
      return storeError(error)
    }
  }

  #commit(): unknown {
    const begun = elapsed()
    try {
      this.#db.run('COMMIT')
      const tookMs = elapsed() - begun
      for (const { call } of this.#listeners) call(tookMs)
      return undefined
    } catch (error) {
      this.#db.note(error)
      this.#rollback()
      return commitError(error)
    }
  }

  /** An error that follows on another is not told: the connection is opened anew, which rolls back for sure. */
  #rollback(): void {
    try {
      this.#db.rollbackWrites()
    } catch (error) {
      this.#db.note(error)
    }
  }

  #attempt<T>(use: () => T): T {
    try {
      this.#db.mend()
      return use()
    } catch (error) {
      if (!isBusy(error)) this.#db.note(error)
      throw error
    }
  }
}

function jobOf<T>(work: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): Job {
  let settle = () => {}
  return {
    work() {
      try {
        const result = work()
        settle = () => resolve(result)
      } catch (error) {
        if (!isHoldfastError(error)) throw error
        settle = () => reject(error)
      }
    },
    settle: () => settle(),
    fail: reject,
  }
}
