/**
 * Noticing that another process wrote. A write tells the others by NOTIFY, outside of its transaction and many at once,
 * for NOTIFY makes commits wait for each other. It is a hint that a pooler may lose, so the place where the server's
 * journal ends is looked at too.
 */
import type { Connections, Loan } from './connection.ts'
import { identifier } from './migrate.ts'
import type { Transactions } from './transactions.ts'

/** A hint need not be on the disk, and does not make commits wait for its sync. */
const NOTIFY = `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`
const SELECT_PLACE = 'SELECT pg_current_wal_insert_lsn()'

const tellAfterMs = 20
const lookEveryMs = 500

export class Watch {
  readonly #db: Transactions
  readonly #connections: Connections
  readonly #channel: string
  readonly #handle: string
  readonly #listeners = new Set<{ call: () => void }>()
  #looking: NodeJS.Timeout | undefined
  #telling: NodeJS.Timeout | undefined
  /** The connection that listens; undefined inside when the server could not be reached. */
  #ear: Promise<Loan | undefined> | undefined
  #seen: string | undefined
  #isLooking = false

  constructor(db: Transactions, connections: Connections, handle: string) {
    this.#db = db
    this.#connections = connections
    this.#channel = `holdfast ${connections.place.schema}`
    this.#handle = handle
  }

  /** Gives the way to stop, which may be called twice. */
  add(call: () => void): () => void {
    const listener = { call }
    this.#listeners.add(listener)
    this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) void this.#deafen()
    }
  }

  /** After a write of this handle. */
  tell(): void {
    if (this.#telling) return
    this.#telling = setTimeout(() => void this.#notify(), tellAfterMs).unref()
  }

  async stop(): Promise<void> {
    clearTimeout(this.#telling)
    this.#listeners.clear()
    await this.#deafen()
  }

  #start(): void {
    this.#ear ??= this.#listen()
    this.#looking ??= setInterval(() => void this.#look(), lookEveryMs).unref()
  }

  async #deafen(): Promise<void> {
    clearInterval(this.#looking)
    this.#looking = undefined
    const ear = this.#ear
    this.#ear = undefined
    this.#seen = undefined
    const loan = await ear
    loan?.giveBack(new Error('a connection that listens is not used for anything else'))
  }

  /** Undefined when the server cannot be reached: `#look` tries again. */
  async #listen(): Promise<Loan | undefined> {
    let loan: Loan | undefined
    try {
      loan = await this.#connections.lend()
      this.#hear(loan)
      await loan.connection.run(`LISTEN ${identifier(this.#channel)}`)
      return loan
    } catch (error) {
      loan?.giveBack(error)
      return undefined
    }
  }

  #hear(loan: Loan): void {
    loan.client.on('notification', ({ payload }: { payload?: string }) => {
      if (payload !== this.#handle) this.#announce()
    })
    loan.client.on('error', (error: Error) => {
      loan.giveBack(error)
      this.#announce()
    })
  }

  /**
   * The first look counts as news, for there was no look before what was written meanwhile; and so does what cannot be
   * looked at: the listeners meet the error where it can be answered.
   */
  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    const place = await this.#place()
    this.#isLooking = false
    if (this.#listeners.size === 0) return
    await this.#listenAnew()
    const isNews = this.#seen !== place
    this.#seen = place
    if (isNews) this.#announce()
  }

  /** After its connection broke, or could not be had. */
  async #listenAnew(): Promise<void> {
    const ear = this.#ear
    const loan = await ear
    if (!loan?.isLent() && this.#ear === ear && this.#listeners.size > 0) this.#ear = this.#listen()
  }

  async #place(): Promise<string> {
    try {
      return String((await this.#db.askServer(SELECT_PLACE))[0]?.[0])
    } catch (error) {
      return String(error)
    }
  }

  #announce(): void {
    for (const { call } of [...this.#listeners]) call()
  }

  /** Whoever does not hear of it looks by itself. */
  async #notify(): Promise<void> {
    this.#telling = undefined
    await this.#db.askServer(NOTIFY, this.#channel, this.#handle).catch(() => {})
  }
}
