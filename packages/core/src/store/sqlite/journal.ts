/**
 * Looking into the journal (`-wal`) before SQLite recovers it. SQLite takes the first frame that fails its checksum for
 * the end: right after a power cut, which tears only what was not synced yet, and a silent loss of acknowledged
 * commits when a bit was flipped. The two differ: with every commit synced before the next begins, a frame that is
 * whole and follows on a whole later transaction shows that the bad one had been on disk. In the last transaction
 * nothing shows it. The format is that of https://sqlite.org/walformat.html.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError } from '@holdfast/protocol'

const headerBytes = 32
const frameHeaderBytes = 24
const magic = 0x377f0682
const version = 3_007_000

/** Another process may write while we read: damage stays, what looked like it does not. */
const looks = 3
const betweenLooksMs = 25

/** Throws `store_corrupt` when acknowledged commits lie behind damage. */
export async function requireWholeJournal(path: string): Promise<void> {
  for (let look = 1; ; look += 1) {
    const frame = damagedFrame(`${path}-wal`)
    if (frame === undefined) return
    if (look === looks) throw damaged(path, frame)
    await sleep(betweenLooksMs)
  }
}

function damaged(path: string, frame: number): HoldfastError {
  const message =
    `The journal ${path}-wal is damaged at frame ${frame}, before acknowledged commits. Restore it from a backup, or ` +
    'open it once with durability `normal` to go on with what comes before.'
  return new HoldfastError('store_corrupt', message, { details: { path, frame } })
}

/** Number of the frame, from 1; 0 for the header; undefined when nothing is damaged, or nothing shows it. */
function damagedFrame(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  try {
    return lookInto(path)
  } catch (cause) {
    if (!existsSync(path)) return undefined
    throw new HoldfastError('store_unavailable', `The journal ${path} cannot be read.`, { cause })
  }
}

function lookInto(path: string): number | undefined {
  const file = openSync(path, 'r')
  try {
    return new Journal(file).damagedFrame()
  } finally {
    closeSync(file)
  }
}

type Sum = readonly [number, number]

class Journal {
  readonly #file: number
  readonly #header = Buffer.alloc(headerBytes)
  readonly #frame: Buffer
  readonly #frames: number
  readonly #isBigEndian: boolean

  constructor(file: number) {
    this.#file = file
    const { size } = fstatSync(file)
    if (size >= headerBytes) readSync(file, this.#header, 0, headerBytes, 0)
    const pageBytes = this.#header.readUInt32BE(8)
    const isPage = pageBytes >= 512 && pageBytes <= 65_536
    this.#frame = Buffer.alloc(frameHeaderBytes + (isPage ? pageBytes : 0))
    this.#frames = size > headerBytes ? Math.floor((size - headerBytes) / this.#frame.length) : 0
    this.#isBigEndian = (this.#header.readUInt32BE(0) & 1) === 1
  }

  damagedFrame(): number | undefined {
    if (this.#frames === 0) return undefined
    if (!this.#isHeaderWhole()) return 0
    let sum = sumAt(this.#header, 24)
    for (let number = 1; number <= this.#frames; number += 1) {
      this.#read(number)
      const computed = this.#sumOfFrame(sum)
      const stored = sumAt(this.#frame, 16)
      if (!same(computed, stored)) {
        const wasThere =
          isSumFlipped(computed, stored) ||
          this.#goesOnAfter(number, stored) ||
          this.#goesOnAfter(number, computed)
        return wasThere ? number : undefined
      }
      // No frame of an earlier round of the journal has the right sum.
      if (!this.#isOfThisRound()) return number
      sum = stored
    }
    return undefined
  }

  /** It is synced before the first frame is written. */
  #isHeaderWhole(): boolean {
    const header = this.#header
    const isKnown = (header.readUInt32BE(0) & ~1) === magic && header.readUInt32BE(4) === version
    return isKnown && same(this.#sumOf(header, 0, 24, [0, 0]), sumAt(header, 24))
  }

  /** Whether behind the transaction of the bad frame another one was begun. `sum`: what the next frame's goes on from. */
  #goesOnAfter(bad: number, sum: Sum): boolean {
    this.#read(bad)
    let isCommitted = this.#isOfThisRound() && this.#isCommit()
    for (let number = bad + 1; number <= this.#frames; number += 1) {
      this.#read(number)
      const stored = sumAt(this.#frame, 16)
      if (!this.#isOfThisRound() || !same(this.#sumOfFrame(sum), stored)) return false
      if (isCommitted) return true
      isCommitted = this.#isCommit()
      sum = stored
    }
    return false
  }

  #read(number: number): void {
    const { length } = this.#frame
    readSync(this.#file, this.#frame, 0, length, headerBytes + (number - 1) * length)
  }

  #isOfThisRound(): boolean {
    return this.#frame.compare(this.#header, 16, 24, 8, 16) === 0
  }

  #isCommit(): boolean {
    return this.#frame.readUInt32BE(4) !== 0
  }

  #sumOfFrame(before: Sum): Sum {
    const ofHeader = this.#sumOf(this.#frame, 0, 8, before)
    return this.#sumOf(this.#frame, frameHeaderBytes, this.#frame.length, ofHeader)
  }

  #sumOf(bytes: Buffer, from: number, to: number, [a, b]: Sum): Sum {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const isLittle = !this.#isBigEndian
    for (let at = from; at < to; at += 8) {
      a = (a + view.getUint32(at, isLittle) + b) | 0
      b = (b + view.getUint32(at + 4, isLittle) + a) | 0
    }
    return [a, b]
  }
}

function sumAt(bytes: Buffer, at: number): Sum {
  return [bytes.readInt32BE(at), bytes.readInt32BE(at + 4)]
}

function same([a, b]: Sum, [c, d]: Sum): boolean {
  return a === c && b === d
}

/**
 * Another page than the sum was made of differs in the second word too, for the first goes into it. So one bit of the first
 * alone was flipped in the stored sum. One bit of the second shows nothing: a tear may leave an old page whose last word
 * differs by one.
 */
function isSumFlipped([a, b]: Sum, [c, d]: Sum): boolean {
  return b === d && bits(a ^ c) === 1
}

function bits(word: number): number {
  let count = 0
  for (let left = word >>> 0; left > 0; left >>>= 1) count += left & 1
  return count
}
