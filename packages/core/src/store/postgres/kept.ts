/**
 * One connection kept out of its pool, for who comes next. A lone caller's commits then go to one process of the server, beside
 * which others read and notify: from a pool they change to another one with each of those, which takes a sixth longer. And
 * the pool's two timers and two turns of the queue are saved. It goes back when somebody waits at the pool, and when it has rested;
 * what its server closed is thrown away.
 */
import type { PgClient, PgPool } from './driver.ts'

/** What a pool has lent. */
export interface Lent {
  pool: PgPool
  client: PgClient
}

export class Kept<Kind extends Lent> {
  readonly #restMs: number
  /** Whose turn it is to be kept, also while it is in use: one that was used beside it goes back to its pool. */
  #chosen: PgClient | undefined
  #lent: Kind | undefined
  readonly #broken = new WeakSet<PgClient>()
  #wasUsed = false
  #resting: ReturnType<typeof setInterval> | undefined
  #isClosed = false

  /** Goes back to its pool after it was not used for `restMs` to twice as long. */
  constructor(restMs: number) {
    this.#restMs = restMs
  }

  take(): Kind | undefined {
    const lent = this.#lent
    this.#lent = undefined
    this.#wasUsed = true
    return lent
  }

  /** Takes it, or hands it back to its pool. */
  put(lent: Kind): void {
    const { client, pool } = lent
    const isBroken = this.#broken.has(client)
    if (!isBroken) this.#chosen ??= client
    if (isBroken) this.lose(client)
    else if (this.#chosen !== client) client.release()
    else if (this.#isClosed || pool.waitingCount > 0) this.#release(lent)
    else this.#keep(lent)
  }

  #keep(lent: Kind): void {
    this.#lent = lent
    this.#resting ??= setInterval(() => this.#look(), this.#restMs).unref()
  }

  #release({ client }: Lent): void {
    this.#chosen = undefined
    client.release()
  }

  /** It is not to be used again. */
  lose(client: PgClient): void {
    if (this.#chosen === client) this.#chosen = undefined
    client.release(true)
  }

  /** Its server has closed it. Whoever uses it hands it back some time. */
  drop(client: PgClient): void {
    this.#broken.add(client)
    if (this.#lent?.client !== client) return
    this.#lent = undefined
    this.lose(client)
  }

  #look(): void {
    if (!this.#wasUsed) this.#giveUp()
    this.#wasUsed = false
  }

  #giveUp(): void {
    clearInterval(this.#resting)
    this.#resting = undefined
    if (this.#lent) this.#release(this.#lent)
    this.#lent = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#giveUp()
  }
}
