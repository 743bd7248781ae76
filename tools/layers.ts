/** The layer check: `node tools/layers.ts [root]` prints every broken rule and fails if there is one. */
import { checkCycles } from './layers/cycles.ts'
import { checkImports, checkPlaces } from './layers/import-rules.ts'
import { checkSources } from './layers/source-rules.ts'
import { readTree, type Violation } from './layers/tree.ts'

export function checkLayers(root: string): Violation[] {
  const tree = readTree(root)
  const found = [checkPlaces, checkImports, checkCycles, checkSources].flatMap((check) => check(tree))
  return found.sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)
}

if (import.meta.main) {
  const found = checkLayers(process.argv[2] ?? process.cwd())
  for (const { path, line, rule, message } of found) console.error(`${path}:${line} ${rule} ${message}`)
  if (found.length > 0) process.exitCode = 1
}
