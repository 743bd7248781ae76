/** Reads the items of a file that holds one JSON array, one at a time: memory holds one item. */
import { HoldfastError, limits } from '@holdfast/protocol'

export interface Item {
  bytes: Buffer
  /** The byte after it. */
  end: number
}

/** The bytes of each item, in order. Only brackets are looked at: an item that is not JSON is the caller's to find. */
export async function* readItems(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Item> {
  const place = new Place()
  let item: Buffer[] = []
  let read = 0
  for await (const chunk of chunks) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const mark = place.step(chunk[at] as number)
      if (mark === 'end') {
        const bytes = Buffer.concat([...item, chunk.subarray(from, at)])
        if (bytes.some((byte) => byte > 0x20)) yield { bytes, end: read + at }
      }
      if (mark === undefined) continue
      item = []
      from = at + 1
    }
    if (place.inArray) item.push(chunk.subarray(from))
    checkSize(item, path)
    read += chunk.length
  }
  if (place.inArray) throw new HoldfastError('invalid_input', `${path} ends inside its array`)
}

/** The file as one item. */
export async function* readWhole(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Item> {
  const read: Buffer[] = []
  for await (const chunk of chunks) {
    read.push(chunk)
    checkSize(read, path)
  }
  const bytes = Buffer.concat(read)
  yield { bytes, end: bytes.length }
}

function checkSize(chunks: readonly Buffer[], path: string): void {
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
  if (bytes <= limits.lineBytes) return
  throw new HoldfastError(
    'limit_exceeded',
    `${path}: one value has ${bytes} bytes and more, which is more than lineBytes allows (${limits.lineBytes})`,
    { details: { limit: 'lineBytes', max: limits.lineBytes, actual: bytes } },
  )
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c]
const openers: readonly number[] = [0x7b, 0x5b]
const closers: readonly number[] = [0x7d, 0x5d]

/** Where in the JSON text a byte stands: in a string or not, and under how many brackets. */
class Place {
  #depth = 0
  #inString = false
  #escaped = false

  get inArray(): boolean {
    return this.#depth > 0
  }

  /** `start`: items begin after this byte. `end`: an item ended before it. */
  step(byte: number): 'start' | 'end' | undefined {
    if (this.#inString) return this.#stepInString(byte)
    if (byte === quote) this.#inString = true
    if (openers.includes(byte)) return ++this.#depth === 1 ? 'start' : undefined
    if (closers.includes(byte)) return --this.#depth === 0 ? 'end' : undefined
    return byte === comma && this.#depth === 1 ? 'end' : undefined
  }

  #stepInString(byte: number): undefined {
    this.#inString = this.#escaped || byte !== quote
    this.#escaped = !this.#escaped && byte === backslash
  }
}
