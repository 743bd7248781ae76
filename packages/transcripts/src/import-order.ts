/** The order of an import: a session is read before those that it spawned, wherever their files lie. */
import type { Lineage } from './contract.ts'
import type { FoundFile } from './discover.ts'
import { formats } from './formats.ts'

/** The files of a wave may be read at once, after all those before it. Aborted: there are none. */
export async function wavesOf(files: readonly FoundFile[], signal?: AbortSignal): Promise<FoundFile[][]> {
  const ids = new Map<FoundFile, string>()
  const parents = new Map<string, string | undefined>()
  for (const file of files) {
    if (signal?.aborted) return []
    const lineage = await lineageOf(file.path)
    if (!lineage) continue
    ids.set(file, lineage.id)
    parents.set(lineage.id, lineage.parentId ?? parents.get(lineage.id))
  }
  const depths = depthsOf(parents)
  const waves = Map.groupBy(files, (file) => depths.get(ids.get(file) ?? '') ?? 0)
  return [...waves].sort(([a], [b]) => a - b).map(([, wave]) => wave)
}

async function lineageOf(path: string): Promise<Lineage | undefined> {
  for (const format of formats) {
    const lineage = await format.lineageOf?.(path)
    if (lineage) return lineage
  }
  return undefined
}

/** How many come before each. Where they name each other in a circle, one of them is the first. */
function depthsOf(parents: ReadonlyMap<string, string | undefined>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  for (const id of [...parents.keys()].sort()) {
    const way = new Set<string>()
    let at: string | undefined = id
    while (at !== undefined && parents.has(at) && !depths.has(at) && !way.has(at)) {
      way.add(at)
      at = parents.get(at)
    }
    let depth = depths.get(at ?? '') ?? -1
    for (const each of [...way].reverse()) depths.set(each, ++depth)
  }
  return depths
}
