/** Room for bytes that are held: so many at once, given in the order in which it was asked for. */
import { HoldfastError } from '@holdfast/protocol'

interface Turn {
  readonly bytes: number
  admit(): void
}

export class Room {
  readonly #waitMs: number
  readonly #turns = new Set<Turn>()
  #free: number

  constructor(bytes: number, waitMs: number) {
    this.#free = bytes
    this.#waitMs = waitMs
  }

  /**
   * Room for so many, no more than there are in all; returns the way to give it back, once. Whoever finds none waits for it:
   * `server_busy` when the wait is over, the signal's reason when `gone` aborts.
   */
  async take(bytes: number, gone: AbortSignal): Promise<() => void> {
    if (this.#turns.size > 0 || bytes > this.#free) await this.#wait(bytes, gone)
    else this.#free -= bytes
    return () => this.#give(bytes)
  }

  async #wait(bytes: number, gone: AbortSignal): Promise<void> {
    gone.throwIfAborted()
    const { promise, resolve: admit, reject } = Promise.withResolvers<void>()
    const turn: Turn = { bytes, admit }
    const leave = (why: unknown): void => {
      this.#turns.delete(turn)
      reject(why)
      this.#give(0)
    }
    const onGone = (): void => leave(gone.reason)
    const busy = new HoldfastError('server_busy', 'there is no room for the file now; send it again.')
    const timer = setTimeout(leave, this.#waitMs, busy)
    this.#turns.add(turn)
    gone.addEventListener('abort', onGone)
    try {
      await promise
    } finally {
      clearTimeout(timer)
      gone.removeEventListener('abort', onGone)
    }
  }

  #give(bytes: number): void {
    this.#free += bytes
    for (const turn of this.#turns) {
      if (turn.bytes > this.#free) return
      this.#turns.delete(turn)
      this.#free -= turn.bytes
      turn.admit()
    }
  }
}
