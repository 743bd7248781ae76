/** The content of a file: grows where it is written, with zeros in the gaps. */
export class Bytes {
  #buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  write(offset: number, data: Buffer): void {
    this.truncate(Math.max(this.#length, offset + data.length))
    data.copy(this.#buffer, offset)
  }

  /** Cuts, or extends with zeros. */
  truncate(length: number): void {
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#buffer.length))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    if (length < this.#length) this.#buffer.fill(0, length, this.#length)
    this.#length = length
  }

  copy(): Bytes {
    const twin = new Bytes()
    twin.write(0, this.view())
    return twin
  }

  /** Good until the next change. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }
}
