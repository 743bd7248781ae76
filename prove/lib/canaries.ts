/**
 * Texts that exist once, each at a known place: what is left of them after an erasure tells whether it was one. Their
 * unlike letters come first and the mark last, because an index keeps of a word only what the word before it has not.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from './random.ts'

/**
 * Where a canary stands: in an event, or in what was made from a stretch of the log. It is gone when the event, or
 * something in the stretch, or the event that it was copied from, was erased; and with its session.
 */
export interface Spot {
  session: string
  seq?: number
  /** First and last seq of the stretch. */
  from?: number
  to?: number
  copied?: { session: string; seq: number }
}

export interface Canary {
  text: string
  /** What it is, for messages. */
  place: string
  /** None: nothing may ever keep it. */
  spots: Spot[]
}

const mark = 'canaryq'
const marked = /([a-z]{10})canaryq/g

export class Canaries {
  readonly all: Canary[] = []
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  /** A new one; where it stands is told once it was written. */
  mint(place: string): Canary {
    const letters = Array.from({ length: 14 }, () => String.fromCharCode(97 + this.#random.below(26)))
    const canary = { text: `${letters.join('')}${mark}`, place, spots: [] }
    this.all.push(canary)
    return canary
  }
}

function nameOf(text: string): string {
  return text.slice(4, 14)
}

/** Of these canaries, those that stand in the text. */
export function inText(canaries: readonly Canary[], text: string): Set<Canary> {
  const named = new Set([...text.matchAll(marked)].map(([, name]) => name as string))
  return new Set(canaries.filter((canary) => named.has(nameOf(canary.text))))
}

/** Names of files in the folder that hold a byte of one of these canaries, with the canary. */
export function inFiles(canaries: readonly Canary[], folder: string): { file: string; canary: Canary }[] {
  return readdirSync(folder).flatMap((file) => {
    const bytes = readFileSync(join(folder, file))
    const found = [...inText(canaries, bytes.toString('latin1'))]
    return found.map((canary) => ({ file, canary }))
  })
}

/** Names of files that hold a canary, any of them, in two bytes a letter. */
export function inTwoBytes(folder: string): string[] {
  const little = Buffer.from(mark, 'utf16le')
  const big = Buffer.from(little).swap16()
  return readdirSync(folder).filter((file) => {
    const bytes = readFileSync(join(folder, file))
    return bytes.includes(little) || bytes.includes(big)
  })
}
