/** A file, each piece of it read when the one before was taken. Where its rest cannot be had it breaks off. */
import type { Sending, Sink } from './sink.ts'

type Pieces = AsyncGenerator<Uint8Array, void, void>

export class FileStream implements Sending {
  /** It says how long it is. */
  readonly endsConnection = false
  readonly #pieces: Pieces
  readonly #broken: (error: unknown) => void
  #first: IteratorResult<Uint8Array, void> | undefined
  #isLeft = false

  private constructor(pieces: Pieces, broken: (error: unknown) => void) {
    this.#pieces = pieces
    this.#broken = broken
  }

  /** Reads the first piece: what fails before it is a failure of the request. */
  static async begin(pieces: Pieces, broken: (error: unknown) => void): Promise<FileStream> {
    const stream = new FileStream(pieces, broken)
    stream.#first = await pieces.next()
    return stream
  }

  async sendTo(sink: Sink): Promise<void> {
    try {
      for (let next = await this.#next(); !next.done; next = await this.#next()) {
        await sink.write(next.value)
        if (this.#isLeft) return
      }
      sink.end()
    } catch (error) {
      this.#broken(error)
      sink.breakOff()
    }
  }

  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream({ pull: (body) => this.#pull(body) }, { highWaterMark: 0 })
  }

  leave(): void {
    this.#isLeft = true
  }

  async #pull(body: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    try {
      const next = await this.#next()
      if (next.done) body.close()
      else body.enqueue(next.value)
    } catch (error) {
      this.#broken(error)
      body.error(new Error('the answer broke off'))
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array, void>> {
    const next = this.#first ?? (await this.#pieces.next())
    this.#first = undefined
    return next
  }
}
