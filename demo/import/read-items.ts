/** Reads the items of a file that holds one JSON array, one at a time: memory holds one item. */
import { createReadStream } from 'node:fs'

/** The text of each item, in order. Only brackets are looked at: an item that is not JSON is the caller's to find. */
export async function* readItems(path: string): AsyncGenerator<string> {
  const place = new Place()
  let item: Buffer[] = []
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const mark = place.step(chunk[at] as number)
      if (mark === 'end') {
        const text = Buffer.concat([...item, chunk.subarray(from, at)]).toString('utf8')
        if (text.trim() !== '') yield text
      }
      if (mark === undefined) continue
      item = []
      from = at + 1
    }
    if (place.inArray) item.push(chunk.subarray(from))
  }
  if (place.inArray) throw new Error(`${path} ends inside its array`)
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
