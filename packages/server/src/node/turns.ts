/** Work that comes for thousands at once, some at a time: between them the event loop does what else is due. */
export class Turns {
  readonly #atOnce: number
  readonly #waiting: (() => void)[] = []
  #left: number
  #isDue = false

  constructor(atOnce: number) {
    this.#atOnce = atOnce
    this.#left = atOnce
  }

  /** Resolves when it is one's turn, in the order of asking; undefined: at once. */
  next(): Promise<void> | undefined {
    this.#goOn()
    if (this.#left === 0) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#left -= 1
    return undefined
  }

  #goOn(): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => this.#begin())
  }

  #begin(): void {
    const some = this.#waiting.splice(0, this.#atOnce)
    this.#left = this.#atOnce - some.length
    this.#isDue = false
    if (some.length > 0) this.#goOn()
    for (const begin of some) begin()
  }
}
