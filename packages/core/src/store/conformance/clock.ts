/** A clock that moves only when it is told to. */
export class TestClock {
  #nowMs = 1_750_000_000_000

  /** Bound, so that it can be handed to a store as it is. */
  readonly now = (): number => this.#nowMs

  advance(ms: number): void {
    this.#nowMs += ms
  }
}
