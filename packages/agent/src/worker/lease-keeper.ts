/** Keeps the lease of a run for as long as its turn is worked on, and tells when it is lost, or may be. */
import type { HeldRun } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'

export interface LeaseTerms {
  ttlMs: number
  now(): number
  onLost(): void
}

export class LeaseKeeper {
  readonly #run: HeldRun
  readonly #terms: LeaseTerms
  readonly #timer: NodeJS.Timeout
  /** Until when nobody else can have it. */
  #safeUntilMs: number
  #renewing = false

  constructor(run: HeldRun, terms: LeaseTerms) {
    this.#run = run
    this.#terms = terms
    this.#safeUntilMs = terms.now() + terms.ttlMs
    this.#timer = setInterval(() => void this.#renew(), terms.ttlMs / 3)
  }

  end(): void {
    clearInterval(this.#timer)
  }

  /** A store that is away for a while is no loss yet; one that is away for longer than the lease may be one. */
  async #renew(): Promise<void> {
    if (this.#renewing) return
    this.#renewing = true
    const { ttlMs, now, onLost } = this.#terms
    const askedMs = now()
    try {
      await this.#run.heartbeat(ttlMs)
      this.#safeUntilMs = askedMs + ttlMs
    } catch (error) {
      if (isHoldfastError(error, 'stale_epoch') || now() >= this.#safeUntilMs) onLost()
    } finally {
      this.#renewing = false
    }
  }
}
