/** Room for so many bytes at once. What is larger than all of it goes in alone. */
export class Room {
  readonly #bytes: number
  readonly #waiting: { bytes: number; enter: () => void }[] = []
  #taken = 0

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Resolves when there is room, in the order of asking; the result gives it back. */
  async enter(bytes: number): Promise<() => void> {
    await new Promise<void>((enter) => {
      this.#waiting.push({ bytes, enter })
      this.#admit()
    })
    return () => {
      this.#taken -= bytes
      this.#admit()
    }
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && this.#hasRoomFor(next.bytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#taken += next.bytes
      next.enter()
    }
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#bytes
  }
}
