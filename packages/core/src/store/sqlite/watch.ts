/** Noticing that another connection wrote: SQLite counts foreign commits, and a timer looks at the count. */
import type { Transactions } from './transactions.ts'

const DATA_VERSION = 'PRAGMA data_version'
const lookEveryMs = 25

export class Watch {
  readonly #read: Transactions['read']
  readonly #listeners = new Set<{ call: () => void }>()
  #timer: NodeJS.Timeout | undefined
  #seen: number | null | undefined

  constructor(transactions: Transactions) {
    this.#read = (look) => transactions.read(look)
  }

  /** Gives the way to stop, which may be called twice. */
  add(call: () => void): () => void {
    const listener = { call }
    this.#listeners.add(listener)
    this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.stop()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#seen = undefined
  }

  /** Keeps no process alive: every open store listens, also one that nobody follows. */
  #start(): void {
    if (this.#timer) return
    void this.#look()
    this.#timer = setInterval(() => void this.#look(), lookEveryMs).unref()
  }

  async #look(): Promise<void> {
    const version = await this.#version()
    const isNews = this.#seen !== undefined && this.#seen !== version
    this.#seen = version
    if (isNews) this.#announce()
  }

  /** Nothing when it cannot be read: the listeners are told then, and meet the error where it can be answered. */
  async #version(): Promise<number | null> {
    try {
      return await this.#read((db) => db.get(DATA_VERSION)?.[0] as number)
    } catch {
      return null
    }
  }

  #announce(): void {
    for (const { call } of [...this.#listeners]) call()
  }
}
