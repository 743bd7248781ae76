/** Noticing that something changed below some paths: sizes and times are looked at again and again. */
import { readdir, realpath, stat } from 'node:fs/promises'
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

/** How files and folders look now, also behind symbolic links: equal while nothing changes. */
export async function lookOf(paths: readonly string[]): Promise<string> {
  const seen = new Set<string>()
  const looks = await Promise.all(paths.map((path) => lookInto(path, seen)))
  return looks.flat().sort().join('\n')
}

/** By the one name that a folder has without links. What cannot be looked at has a look too: it changes once it can. */
async function lookInto(path: string, seen: Set<string>): Promise<string[]> {
  try {
    const stats = await stat(path)
    if (!stats.isDirectory()) return [`${path} ${stats.size} ${stats.mtimeMs}`]
    const folder = await realpath(path)
    if (seen.has(folder)) return []
    seen.add(folder)
    const names = await readdir(folder)
    return (await Promise.all(names.map((name) => lookInto(join(folder, name), seen)))).flat()
  } catch (error) {
    return [`${path} ${(error as NodeJS.ErrnoException).code}`]
  }
}

function ofAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
