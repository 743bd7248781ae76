/** What was moved out of a transcript, each in a file named by its hash, in a folder beside the mended copy. */
import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Piece } from './outsized.ts'

export interface Moved {
  /** In the file that was mended. */
  line: number
  path: string
  /** Of the file. */
  bytes: number
  mediaType: string
}

export class SideFiles {
  readonly moved: Moved[] = []
  readonly #folder: string
  #waiting: { path: string; bytes: Buffer }[] = []

  constructor(out: string) {
    this.#folder = `${resolve(out)}.files`
  }

  /** Gives the text that stands in the piece's place; `write` must follow before that is written. */
  move(line: number, { kind, mediaType, data }: Piece): string {
    const bytes = Buffer.from(data, kind === 'text' ? 'utf8' : 'base64')
    const hash = createHash('sha256').update(bytes).digest('hex')
    const path = join(this.#folder, `${hash}.${endingOf(mediaType)}`)
    this.#waiting.push({ path, bytes })
    this.moved.push({ line, path, bytes: bytes.length, mediaType })
    return `[too large for the transcript: ${bytes.length} bytes of ${mediaType}, kept in ${path}]`
  }

  /** The same piece twice is one file. */
  async write(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) await mkdir(this.#folder, { recursive: true })
    for (const { path, bytes } of waiting) await writeFile(path, bytes)
  }
}

function endingOf(mediaType: string): string {
  return mediaType === 'text/plain'
    ? 'txt'
    : mediaType.replace(/^.*[/.+]/, '').replace(/[^a-z0-9]/g, '') || 'bin'
}
