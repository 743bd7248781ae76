/** What is kept of logs in memory, bounded in all: what was used longest ago lets go first. */
export interface Forgetful {
  letGo(): void
}

export class TailMemory {
  readonly #most: number
  /** Characters, by the last change or use, oldest first. */
  readonly #held = new Map<Forgetful, number>()
  #total = 0

  constructor(most = 32 * 1024 * 1024) {
    this.#most = most
  }

  holds(holder: Forgetful, size: number): void {
    this.#total += size - (this.#held.get(holder) ?? 0)
    this.#held.delete(holder)
    if (size > 0) this.#held.set(holder, size)
    while (this.#total > this.#most) {
      const [oldest] = this.#held.keys()
      if (!oldest) return
      oldest.letGo()
    }
  }
}
