/** The files of an import: those that were named, and in folders whatever looks like a transcript by its name. */
import { hash } from 'node:crypto'
import { type Dirent, existsSync, statSync } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { formats } from './formats.ts'
import type { FailedFile } from './summary.ts'

export interface FoundFile {
  /** Absolute, without symbolic links. */
  path: string
  bytes: number
  /** What tells that nothing changed since it was last read: size and time of the file and of those read with it. */
  stamp: string
  /** By the caller, and not found in a folder. */
  isNamed: boolean
}

export interface Found {
  files: FoundFile[]
  failed: FailedFile[]
}

const transcriptName = /\.(jsonl|json)(\.zst)?$/

/** Each file once, however many names lead to it. Files that are read with another one are not listed. */
export async function discover(paths: readonly string[]): Promise<Found> {
  const visits = new Visits()
  for (const path of paths) await visits.named(resolve(path))
  return { files: visits.files.map(withCompanions), failed: visits.failed }
}

/** What leads to a file. */
interface Leading {
  isNamed: boolean
  /** By its name. */
  isTranscript: boolean
}

/** A folder may have ten thousand files: each is asked for only what must be known, and without a turn of the event loop. */
class Visits {
  readonly files: FoundFile[] = []
  readonly failed: FailedFile[] = []
  readonly #seen = new Set<string>()

  async named(path: string): Promise<void> {
    await this.#orFail(path, async () =>
      this.#visit(await realpath(path), { isNamed: true, isTranscript: true }),
    )
  }

  async #orFail(path: string, visit: () => Promise<void>): Promise<void> {
    try {
      await visit()
    } catch (error) {
      this.failed.push(failedFile(path, error))
    }
  }

  /** `path` is without symbolic links. */
  async #visit(path: string, { isNamed, isTranscript }: Leading): Promise<void> {
    const owner = ownerOf(path)
    const real = owner === undefined || this.#seen.has(owner) ? (owner ?? path) : await realpath(owner)
    if (this.#seen.has(real)) return
    this.#seen.add(real)
    const { isFile, isFolder, bytes, stamp } = look(real)
    if (isFolder) await this.#visitAllIn(real)
    else if (!isFile) throw Object.assign(new Error('neither a file nor a folder'), { code: 'invalid_input' })
    else if (isTranscript) this.files.push({ path: real, bytes, stamp, isNamed })
  }

  async #visitAllIn(folder: string): Promise<void> {
    const entries = await readdir(folder, { withFileTypes: true })
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const isTranscript = transcriptName.test(entry.name)
      if (!isWorthALook(entry, isTranscript)) continue
      const path = join(folder, entry.name)
      await this.#orFail(path, async () =>
        this.#visit(entry.isSymbolicLink() ? await realpath(path) : path, { isNamed: false, isTranscript }),
      )
    }
  }
}

/** A file that belongs to another one is read with it, if that one is there. */
function ownerOf(path: string): string | undefined {
  for (const format of formats) {
    const owner = format.ownerOf?.(path)
    if (owner !== undefined && existsSync(owner)) return owner
  }
  return undefined
}

/** Pipes, sockets and devices in a folder are no transcripts, and reading one may never end. */
function isWorthALook(entry: Dirent, isTranscript: boolean): boolean {
  return entry.isDirectory() || entry.isSymbolicLink() || (entry.isFile() && isTranscript)
}

function look(path: string) {
  const stats = statSync(path)
  const { size, mtimeMs } = stats
  return { isFile: stats.isFile(), isFolder: stats.isDirectory(), bytes: size, stamp: `${size} ${mtimeMs}` }
}

function withCompanions(file: FoundFile): FoundFile {
  const others = companionsOf(file.path).map(look)
  return {
    ...file,
    bytes: others.reduce((sum, { bytes }) => sum + bytes, file.bytes),
    stamp: shortStamp([file, ...others].map(({ stamp }) => stamp).join(',')),
  }
}

/** A session may have thousands of files. */
function shortStamp(stamp: string): string {
  return stamp.length <= 1_024 ? stamp : hash('sha256', stamp, 'hex')
}

function companionsOf(path: string): string[] {
  return formats.flatMap((format) => format.companions?.(path) ?? [])
}

export function failedFile(path: string, error: unknown): FailedFile {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return {
    path,
    code: typeof code === 'string' ? code : 'unknown',
    message: typeof message === 'string' ? message : String(error),
    cause: error,
  }
}
