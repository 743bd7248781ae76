/** Does on time what the clock made due, for every tenant: expired sessions and questions, lost runs, keys that are old enough. */
import type { Holdfast, SweepOptions } from '@holdfast/core'

export interface SweepTerms {
  /** Milliseconds between two sweeps. */
  everyMs: number
  /** Told of a sweep that failed; the next one tries again. */
  onFailed: (error: unknown) => void
  lostRuns?: SweepOptions['lostRuns']
}

export class Sweeping {
  readonly #holdfast: Holdfast
  readonly #terms: SweepTerms
  readonly #timer: ReturnType<typeof setInterval>
  #running: Promise<void> | undefined

  constructor(holdfast: Holdfast, terms: SweepTerms) {
    this.#holdfast = holdfast
    this.#terms = terms
    this.#timer = setInterval(() => {
      this.#running ??= this.#sweep()
    }, terms.everyMs)
  }

  /** Resolves once the sweep that is under way is over. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #sweep(): Promise<void> {
    const { lostRuns } = this.#terms
    try {
      const { failed } = await this.#holdfast.sweep({ everyTenant: true, ...(lostRuns && { lostRuns }) })
      for (const one of failed) this.#terms.onFailed(one)
    } catch (error) {
      this.#terms.onFailed(error)
    }
    this.#running = undefined
  }
}
