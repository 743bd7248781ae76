/** A map that forgets what was not asked for lately: of two generations, the older one goes when the younger is full. */
export class Generations<Value> {
  readonly #size: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()

  /** `size` of one generation. */
  constructor(size: number) {
    this.#size = size
  }

  get(name: string): Value | undefined {
    return this.#young.get(name) ?? this.#keepYoung(name)
  }

  #keepYoung(name: string): Value | undefined {
    const value = this.#old.get(name)
    if (value !== undefined) this.#young.set(name, value)
    return value
  }

  set(name: string, value: Value): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, value)
  }

  delete(name: string): void {
    this.#young.delete(name)
    this.#old.delete(name)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
  }
}
