/** No import cycles between files, type-only imports included. */
import { resolveImport, type Source, type Tree, type Violation } from './tree.ts'

export function checkCycles(tree: Tree): Violation[] {
  const done = new Set<string>()
  const found: Violation[] = []

  function visit(source: Source, trail: readonly string[]): void {
    for (const { specifier, line } of source.imports) {
      const target = resolveImport(tree, source.path, specifier)
      const next = target === undefined ? undefined : tree.sources.get(target)
      if (!next) continue
      const start = [...trail, source.path].indexOf(next.path)
      if (start >= 0) found.push(cycle(source.path, line, [...trail.slice(start), source.path, next.path]))
      else if (!done.has(next.path)) visit(next, [...trail, source.path])
    }
    done.add(source.path)
  }

  for (const source of tree.sources.values()) if (!done.has(source.path)) visit(source, [])
  return found
}

function cycle(path: string, line: number, round: readonly string[]): Violation {
  return { path, line, rule: 'cycle', message: round.join(' -> ') }
}
