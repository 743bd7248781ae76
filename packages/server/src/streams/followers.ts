/** All streams that are open now: one timer keeps them alive, and one call ends them when the server stops. */
export interface Follower {
  /** Nothing was sent for a while. */
  beat(): void
  /** When it began to wait for its reader, in milliseconds; undefined while it does not. */
  readonly waitingSinceMs: number | undefined
  /** Ends the stream; the reader is told to come back. */
  drain(): void
  /** The same of one whose reader stands still. */
  stall(): void
}

export interface FollowersOptions {
  /** Silence after which a stream is kept alive. */
  heartbeatMs: number
  /** How long a reader may take nothing; looked at with every heartbeat. */
  stallMs: number
  clock: () => number
}

export class Followers {
  readonly #open = new Set<Follower>()
  readonly #heartbeatMs: number
  readonly #stallMs: number
  #timer: ReturnType<typeof setInterval> | undefined
  #isDraining = false
  /** Milliseconds. */
  readonly clock: () => number

  constructor({ heartbeatMs, stallMs, clock }: FollowersOptions) {
    this.#heartbeatMs = heartbeatMs
    this.#stallMs = stallMs
    this.clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /** Longest time that one of them has waited for its reader. */
  get lagMs(): number {
    const nowMs = this.clock()
    let longest = 0
    for (const { waitingSinceMs = nowMs } of this.#open) longest = Math.max(longest, nowMs - waitingSinceMs)
    return longest
  }

  get isDraining(): boolean {
    return this.#isDraining
  }

  add(follower: Follower): void {
    this.#open.add(follower)
    this.#timer ??= setInterval(() => this.#beat(), this.#heartbeatMs)
    if (this.#isDraining) follower.drain()
  }

  remove(follower: Follower): void {
    this.#open.delete(follower)
    if (this.#open.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  drain(): void {
    this.#isDraining = true
    for (const follower of [...this.#open]) follower.drain()
  }

  #beat(): void {
    const stalledSinceMs = this.clock() - this.#stallMs
    for (const follower of [...this.#open]) {
      if (follower.waitingSinceMs !== undefined && follower.waitingSinceMs <= stalledSinceMs) follower.stall()
      else follower.beat()
    }
  }
}
