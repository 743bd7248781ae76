/** Writes a transcript anew so that its program can go on with it. The original is left as it is. */
import { type FileHandle, open } from 'node:fs/promises'
import { HoldfastError } from '@holdfast/protocol'
import type { Line } from '../read-lines.ts'
import type { Source } from '../source.ts'
import { type Surveyed, surveyed } from './examine.ts'
import type { Fault } from './fault.ts'
import { type Moved, SideFiles } from './side-files.ts'
import { wholeLines } from './whole-lines.ts'

export interface TranscriptRepair {
  format: 'claude-code' | 'codex'
  /** Lines written. */
  lines: number
  repaired: Fault[]
  /** Faults that no rewriting mends: a conversation that is too large by its words alone. */
  left: Fault[]
  /** What was too large, each in a file beside `out`, which the line tells of. */
  moved: Moved[]
  /** The file that holds, as they were, the lines which could not stay; absent when there were none. */
  aside?: string
}

/** Never writes over anything: `invalid_input` when `out` or `out.aside` is there. */
export function repair(path: string, out: string): Promise<TranscriptRepair> {
  return surveyed(path, (found) => write(found, out))
}

async function write({ survey, format, source }: Surveyed, out: string): Promise<TranscriptRepair> {
  const aside = new Aside(`${out}.aside`)
  const files = new SideFiles(out)
  const file = await create(out)
  let lines = 0
  try {
    for await (const line of wholeLines(source)) {
      if (line.value === undefined && line.broken === undefined) continue
      const mended = survey.mend(line)
      if (mended.length === 0) await aside.keep(line, source)
      for (const value of mended) {
        const relieved = survey.outsized.relieve(line.number, value, (piece) =>
          files.move(line.number, piece),
        )
        await files.write()
        await file.write(`${JSON.stringify(relieved)}\n`)
      }
      lines += mended.length
    }
  } finally {
    await file.close()
    await aside.close()
  }
  const isLeft = ({ code, line }: Fault) => code === 'too_large' && line === 0 && survey.outsized.isLeft
  const left = survey.faults.filter(isLeft)
  const repaired = survey.faults.filter((fault) => !isLeft(fault))
  const { moved } = files
  return { format, lines, repaired, left, moved, ...(aside.isUsed && { aside: aside.path }) }
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
  async keep({ start, end }: Line, source: Source): Promise<void> {
    this.#file ??= await create(this.path)
    let last: number | undefined
    for await (const chunk of source.chunks(start, end)) {
      await this.#file.write(chunk)
      last = chunk.at(-1)
    }
    if (last !== 0x0a) await this.#file.write('\n')
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}
