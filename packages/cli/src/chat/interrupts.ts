/** Ctrl-C in a chat: during a turn the first one stops the turn, the next one ends the chat. */
export class Interrupts {
  readonly #leaving = new AbortController()
  readonly #onError: (error: unknown) => void
  #stop: (() => Promise<void>) | undefined
  #hasStopped = false

  /** `onError` is told why a turn could not be stopped. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** Aborted when the chat is to end. */
  get leaving(): AbortSignal {
    return this.#leaving.signal
  }

  /** Whether a turn was stopped. */
  get hasStopped(): boolean {
    return this.#hasStopped
  }

  /** Gives the way to say that the turn is over. */
  duringTurn(stop: () => Promise<void>): () => void {
    this.#stop = stop
    return () => {
      this.#stop = undefined
    }
  }

  pressed(): void {
    const stop = this.#stop
    this.#stop = undefined
    if (stop) {
      this.#hasStopped = true
      stop().catch(this.#onError)
    } else this.#leaving.abort()
  }
}
