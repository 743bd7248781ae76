/** Writes a transcript anew so that its program can go on with it. The original is left as it is. */
import { type FileHandle, open } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import { readChunks } from '../read-chunks.ts'
import type { Line } from '../read-lines.ts'
import { surveyOf } from './examine.ts'
import type { Fault } from './survey.ts'

export interface TranscriptRepair {
  format: 'claude-code' | 'codex'
  /** Lines written. */
  lines: number
  repaired: Fault[]
  /** Faults that no rewriting mends: a file that is too large stays so. */
  left: Fault[]
  /** The file that holds, as they were, the lines which could not stay; absent when there were none. */
  aside?: string
}

/** Never writes over anything: `invalid_input` when `out` or `out.aside` is there. */
export async function repair(path: string, out: string): Promise<TranscriptRepair> {
  const { survey, format, source } = await surveyOf(path)
  const aside = new Aside(`${out}.aside`)
  const file = await create(out)
  let lines = 0
  try {
    for await (const line of source.lines()) {
      if (line.value === undefined && line.broken === undefined) continue
      const mended = survey.mend(line)
      if (mended.length === 0) await aside.keep(line, path)
      for (const value of mended) await file.write(`${JSON.stringify(value)}\n`)
      lines += mended.length
    }
  } finally {
    await file.close()
    await aside.close()
  }
  const left = survey.faults.filter(({ code }) => code === 'too_large')
  const repaired = survey.faults.filter(({ code }) => code !== 'too_large')
  return { format, lines, repaired, left, ...(aside.isUsed && { aside: aside.path }) }
}

async function create(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new HoldfastError('invalid_input', `${path} is there already; name a new file`)
  }
}

class Aside {
  readonly path: string
  #file: FileHandle | undefined

  constructor(path: string) {
    this.path = path
  }

  get isUsed(): boolean {
    return this.#file !== undefined
  }

  /** From the source itself: of a very long line the reader has only the beginning. */
  async keep({ start, end }: Line, source: string): Promise<void> {
    this.#file ??= await create(this.path)
    let last: number | undefined
    for await (const chunk of readChunks(source, start, end)) {
      await this.#file.write(chunk)
      last = chunk.at(-1)
    }
    if (last !== 0x0a) await this.#file.write('\n')
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}
