/** What was made of a text, so that the same text gives the same object: many images of one file say the same things. */
export class Kept<T> {
  readonly #made = new Map<string, { text: string; value: T }>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  /** Looked up by its name, which is short. */
  of(name: string, text: string, make: () => T): T {
    const found = this.#made.get(name)
    if (found?.text === text) return found.value
    if (this.#made.size >= this.#most) this.#made.clear()
    const value = make()
    this.#made.set(name, { text, value })
    return value
  }
}
