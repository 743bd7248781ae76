/** Noticing that something changed below some paths: sizes and times are looked at again and again. */
import type { Dirent, Stats } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves to false once `signal` is aborted, else to true when the paths are no more as `seen`. */
export async function changed(
  paths: readonly string[],
  seen: string,
  { everyMs, signal }: WaitOptions,
): Promise<boolean> {
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(ofAbort)
    if (signal.aborted) return false
    if ((await lookOf(paths)) !== seen) return true
  }
  return false
}

export interface WaitOptions {
  everyMs: number
  signal: AbortSignal
}

/** How files and folders look now: equal while nothing changes. */
export async function lookOf(paths: readonly string[]): Promise<string> {
  const looks = await Promise.all(paths.map((path) => lookOfPath(path)))
  return looks.join('\n')
}

async function lookOfPath(path: string): Promise<string> {
  const stats = await statOf(path)
  if (!stats?.isDirectory()) return `${path} ${stats?.size} ${stats?.mtimeMs}`
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries
    .filter((entry: Dirent) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
  const looks = await Promise.all(
    files.sort().map(async (file) => {
      const found = await statOf(file)
      return `${file} ${found?.size} ${found?.mtimeMs}`
    }),
  )
  return looks.join('\n')
}

/** Undefined for what is gone meanwhile. */
async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function ofAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
