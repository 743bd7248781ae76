/**
 * Several generators as one, in the order in which they have something. Each is asked again only after what it gave was taken,
 * so one item of each is waiting at most.
 */
interface Given<T> {
  from: AsyncGenerator<T, void, void>
  /** Throws what the generator threw. */
  read(): IteratorResult<T, void>
}

export class Merged<T> {
  readonly #ready: Given<T>[] = []
  readonly #open = new Set<AsyncGenerator<T, void, void>>()
  #wake: (() => void) | undefined

  /** Also while the others are read. */
  add(from: AsyncGenerator<T, void, void>): void {
    this.#open.add(from)
    this.#ask(from)
  }

  /** Ends when all of them did; throws what one of them throws. */
  async *items(): AsyncGenerator<T, void, void> {
    while (this.#open.size > 0) {
      const { from, read } = this.#ready.shift() ?? (await this.#next())
      const result = read()
      if (result.done) {
        this.#open.delete(from)
        continue
      }
      yield result.value
      this.#ask(from)
    }
  }

  /** Resolves when all of them are over, for whoever does not want the rest. */
  async close(): Promise<void> {
    await Promise.all([...this.#open].map((one) => one.return()))
  }

  #ask(from: AsyncGenerator<T, void, void>): void {
    from.next().then(
      (result) => this.#give({ from, read: () => result }),
      (error) => {
        const read = () => {
          throw error
        }
        this.#give({ from, read })
      },
    )
  }

  #give(given: Given<T>): void {
    this.#ready.push(given)
    this.#wake?.()
  }

  async #next(): Promise<Given<T>> {
    for (;;) {
      const given = this.#ready.shift()
      if (given) return given
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
