/** What all tails together keep of event texts, bounded: the tail that was written to longest ago lets go first. */
export interface Forgetful {
  forgetTexts(): void
}

export class TailMemory {
  readonly #most: number
  /** Characters, by the tail's last change, oldest first. */
  readonly #held = new Map<Forgetful, number>()
  #total = 0

  constructor(most = 32 * 1024 * 1024) {
    this.#most = most
  }

  holds(tail: Forgetful, size: number): void {
    this.#total += size - (this.#held.get(tail) ?? 0)
    this.#held.delete(tail)
    if (size > 0) this.#held.set(tail, size)
    while (this.#total > this.#most) {
      const [oldest] = this.#held.keys()
      if (!oldest) return
      oldest.forgetTexts()
    }
  }
}
