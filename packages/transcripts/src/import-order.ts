/** The order of an import: a session is read before those that it spawned or that go on from it, wherever their files lie. */
import type { Lineage } from './contract.ts'
import type { FoundFile } from './discover.ts'
import { formats } from './formats.ts'

/** The files of a wave may be read at once, after all those before it. Aborted: there are none. */
export async function wavesOf(files: readonly FoundFile[], signal?: AbortSignal): Promise<FoundFile[][]> {
  const ids = new Map<FoundFile, string>()
  const after = new Map<string, Set<string>>()
  for (const file of files) {
    if (signal?.aborted) return []
    const lineage = await lineageOf(file.path)
    if (!lineage) continue
    ids.set(file, lineage.id)
    const known = after.get(lineage.id) ?? new Set()
    after.set(lineage.id, new Set([...known, ...lineage.after]))
  }
  const depths = depthsOf(after)
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

/** How many come before each, one after the other. Where they name each other in a circle, one of them is the first. */
function depthsOf(after: ReadonlyMap<string, ReadonlySet<string>>): ReadonlyMap<string, number> {
  const depths = new Map<string, number>()
  const open = new Map<string, number>()
  const behind = new Map<string, string[]>()
  for (const [id, names] of after) {
    const known = [...names].filter((name) => name !== id && after.has(name))
    open.set(id, known.length)
    for (const name of known) behind.set(name, [...(behind.get(name) ?? []), id])
  }
  const ready = [...after.keys()].filter((id) => open.get(id) === 0)
  const rest = [...after.keys()].sort().reverse()
  while (depths.size < after.size) {
    while (depths.has(rest.at(-1) ?? '')) rest.pop()
    const id = ready.pop() ?? firstOf(rest.at(-1) ?? '', (name) => !depths.has(name) && after.get(name))
    if (depths.has(id)) continue
    const before = [...(after.get(id) ?? [])].map((name) => depths.get(name) ?? -1)
    depths.set(id, Math.max(-1, ...before) + 1)
    for (const next of behind.get(id) ?? []) {
      const left = (open.get(next) ?? 0) - 1
      open.set(next, left)
      if (left === 0) ready.push(next)
    }
  }
  return depths
}

/** From one that waits to one that everything it waits for waits for. */
function firstOf(id: string, waitsFor: (id: string) => ReadonlySet<string> | undefined | false): string {
  const way = new Set<string>()
  for (let at: string | undefined = id; at !== undefined; ) {
    way.add(at)
    at = [...(waitsFor(at) || [])].find((name) => !way.has(name) && waitsFor(name))
  }
  return [...way].at(-1) ?? id
}
