/** The files of an import: those that were named, and in folders whatever looks like a transcript by its name. */
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
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
  const found: Found = { files: [], failed: [] }
  const seen = new Set<string>()
  for (const path of paths) await visit(resolve(path), true, seen, found)
  return { files: await Promise.all(found.files.map(withCompanions)), failed: found.failed }
}

async function visit(path: string, isNamed: boolean, seen: Set<string>, found: Found): Promise<void> {
  try {
    const real = await ownerOrSelf(await realpath(path))
    if (seen.has(real)) return
    seen.add(real)
    const { isFile, isFolder, bytes, stamp } = await look(real)
    if (isFolder) {
      const names = (await readdir(real)).sort()
      for (const name of names)
        if (await isWorthALook(join(real, name))) await visit(join(real, name), false, seen, found)
    } else if (!isFile)
      throw Object.assign(new Error('neither a file nor a folder'), { code: 'invalid_input' })
    else if (isNamed || transcriptName.test(path)) found.files.push({ path: real, bytes, stamp, isNamed })
  } catch (error) {
    found.failed.push(failedFile(path, error))
  }
}

/** A file that belongs to another one is read with it, if that one is there. */
async function ownerOrSelf(path: string): Promise<string> {
  for (const format of formats) {
    const owner = format.ownerOf?.(path)
    if (owner !== undefined && existsSync(owner)) return realpath(owner)
  }
  return path
}

/** Pipes, sockets and devices in a folder are no transcripts, and reading one may never end. */
async function isWorthALook(path: string): Promise<boolean> {
  const kind = await lstat(path)
  return kind.isDirectory() || kind.isSymbolicLink() || (kind.isFile() && transcriptName.test(path))
}

async function look(path: string) {
  const stats = await stat(path)
  const { size, mtimeMs } = stats
  return { isFile: stats.isFile(), isFolder: stats.isDirectory(), bytes: size, stamp: `${size} ${mtimeMs}` }
}

async function withCompanions(file: FoundFile): Promise<FoundFile> {
  const others = await Promise.all(companionsOf(file.path).map((path) => look(path)))
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
