/**
 * `Bind` messages of one connection, each with what follows it, written into the same room again and again. `pg` takes new
 * memory for each, and a batch of commits is some hundred KB: outside of the heap, where a few of them make the engine
 * collect all garbage.
 */
import type { SqlValue } from './driver.ts'

/** A connection keeps no more room than this. */
const keptBytes = 1024 * 1024

/** Code, length, the unnamed portal, the end of the statement's name, two counts of values, no formats of the answer. */
const fixedBytes = 13
/** Format and length. */
const bytesOfValue = 6

/** `Execute` of the unnamed portal for all of its rows, and `Sync`. */
const execute = Buffer.from('E\0\0\0\x09\0\0\0\0\0', 'latin1')
const executeAndSync = Buffer.concat([execute, Buffer.from('S\0\0\0\x04', 'latin1')])

const [text, binary] = [0, 1]
const noValue = -1

export class Binds {
  #room = Buffer.alloc(0)
  #at = 0

  /** Nothing that was written before is read any more: the server has answered it. */
  begin(): void {
    if (this.#room.length > keptBytes) this.#room = Buffer.alloc(0)
    this.#at = 0
  }

  /** `Bind` and `Execute`, and `Sync` behind the last; to be sent before the next `begin`. */
  message(statement: string, values: readonly SqlValue[], isLast: boolean): Buffer {
    const sent = values.map(onWire)
    const lengths = sent.map(lengthOf)
    let bytes = fixedBytes + statement.length + sent.length * bytesOfValue
    for (const length of lengths) if (length > 0) bytes += length
    const after = isLast ? executeAndSync : execute
    const out = this.#take(bytes + after.length)
    out.write('B\0\0\0\0\0', 'latin1')
    out.writeInt32BE(bytes - 1, 1)
    let at = 6 + out.write(`${statement}\0`, 6, 'latin1')
    at = out.writeInt16BE(sent.length, at)
    for (const value of sent) at = out.writeInt16BE(value instanceof Uint8Array ? binary : text, at)
    at = out.writeInt16BE(sent.length, at)
    for (let index = 0; index < sent.length; index += 1) {
      const value = sent[index]
      at = out.writeInt32BE(lengths[index] as number, at)
      if (typeof value === 'string') at += out.write(value, at)
      else if (value) {
        out.set(value, at)
        at += value.length
      }
    }
    at = out.writeInt16BE(0, at)
    out.set(after, at)
    return out
  }

  /** What was written into a room that became too small is there until it is sent. */
  #take(bytes: number): Buffer {
    if (this.#room.length - this.#at < bytes) {
      this.#room = Buffer.allocUnsafeSlow(Math.max(bytes, 2 * this.#room.length))
      this.#at = 0
    }
    this.#at += bytes
    return this.#room.subarray(this.#at - bytes, this.#at)
  }
}

function onWire(value: SqlValue): string | Uint8Array | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || value instanceof Uint8Array) return value
  return String(value)
}

function lengthOf(value: string | Uint8Array | null): number {
  if (value === null) return noValue
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length
}
