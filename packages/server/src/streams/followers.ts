/** All streams that are open now: one timer keeps them alive, and one call ends them when the server stops. */
export interface Follower {
  /** Nothing was sent for a while. */
  beat(): void
  /** Ends the stream; the reader is told to come back. */
  drain(): void
}

export class Followers {
  readonly #open = new Set<Follower>()
  readonly #heartbeatMs: number
  #timer: ReturnType<typeof setInterval> | undefined
  #isDraining = false

  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs
  }

  get size(): number {
    return this.#open.size
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
    for (const follower of this.#open) follower.beat()
  }
}
