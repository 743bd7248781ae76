/** Looks for work from time to time, never twice at once, until it is ended. */
export class Schedule {
  readonly #work: () => Promise<void>
  readonly #onError: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  constructor(everyMs: number, work: () => Promise<void>, onError: (error: unknown) => void) {
    this.#work = work
    this.#onError = onError
    this.#timer = setInterval(() => void this.now(), everyMs)
    this.#timer.unref()
  }

  /** Resolves when a look that was begun now, or is under way, is done. */
  now(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#work()
    } catch (error) {
      this.#onError(error)
    } finally {
      this.#running = undefined
    }
  }
}
