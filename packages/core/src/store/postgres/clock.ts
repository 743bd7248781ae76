/**
 * The clock that judges leases, keys and expiry: the server's, so that machines whose clocks differ agree; or one that
 * is handed in. `now()` answers at once, from how far the server's clock was from ours when we last heard of it.
 */
import { systemClock } from '../clock.ts'

export class Clock {
  readonly #given: (() => number) | undefined
  #aheadMs = 0

  constructor(given: (() => number) | undefined) {
    this.#given = given
  }

  now(): number {
    return this.#given?.() ?? systemClock() + this.#aheadMs
  }

  /** For a statement: its own time, or null for that of the server. */
  forStatement(): number | null {
    const given = this.#given?.()
    return given === undefined ? null : Math.floor(given)
  }

  /** `serverMs` as the server said it between two looks at our clock. */
  hear(serverMs: number): void {
    this.#aheadMs = serverMs - systemClock()
  }
}
