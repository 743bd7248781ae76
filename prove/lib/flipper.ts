/** Damaged copies of a file, and the process that reads them. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './child.ts'
import type { Read, Reading } from './flip-reader.ts'

const longestReadMs = 60_000

export interface Flip {
  name: string
  /** Given the length of the file in bits. */
  bit: (bits: number) => number
}

export const fileIn = (folder: string) => join(folder, 'holdfast.db')

/** Reads copies in a folder. One that falls silent hangs, and is told by its death. */
export class Flipper {
  readonly #child = new Child<Read>(new URL('./flip-reader.ts', import.meta.url))
  readonly #folder: string
  readonly #asking: Omit<Reading, 'file'>

  constructor(folder: string, asking: Omit<Reading, 'file'>) {
    this.#folder = folder
    this.#asking = asking
  }

  /** Without a flip: the copy as it is. Throws when the process died. */
  async read(template: string, flip?: Flip): Promise<Read> {
    rmSync(this.#folder, { recursive: true, force: true })
    cpSync(template, this.#folder, { recursive: true })
    if (flip) flipBit(join(this.#folder, flip.name), flip.bit)
    this.#child.send({ file: fileIn(this.#folder), ...this.#asking } satisfies Reading)
    const limit = setTimeout(() => this.#child.kill(), longestReadMs)
    try {
      return await this.#child.require()
    } finally {
      clearTimeout(limit)
    }
  }

  end(): void {
    this.#child.kill()
  }
}

function flipBit(path: string, choose: Flip['bit']): void {
  const bytes = readFileSync(path)
  const bit = choose(bytes.length * 8)
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
  writeFileSync(path, bytes)
}
