/** Work on one thing after the other: files that lead to the same session are read one by one. */
export class OneAtATime {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Runs `work` when all that was asked for under this name before has ended, well or not. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name)
    const mine = Promise.allSettled([before]).then(work)
    this.#last.set(name, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(name) === mine) this.#last.delete(name)
    }
  }
}
