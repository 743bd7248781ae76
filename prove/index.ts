/**
 * Runs every proof with few rounds, then each of its planted bugs, and writes what was found to `docs/evidence.md`.
 *
 * `npm run prove`; `-- --only zombie` runs one and writes nothing. Fails when a proof found a fault or missed a bug.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { knobs } from './lib/args.ts'
import { evidencePage, isProved, type Result } from './lib/evidence.ts'
import { type Proof, proofs } from './lib/proofs.ts'
import { attempt } from './lib/prove.ts'
import { hasFaults, sentence } from './lib/summary.ts'

const { only } = knobs({ only: '' })
const chosen = proofs.filter(({ name }) => only === '' || name === only)
if (chosen.length === 0) throw new Error(`--only is one of ${proofs.map(({ name }) => name).join(' ')}`)

const results: Result[] = []
for (const proof of chosen) results.push(await run(proof))
if (only === '') writeFileSync(new URL('../docs/evidence.md', import.meta.url), page())
process.exitCode = results.every(isProved) ? 0 : 1

async function run(proof: Proof): Promise<Result> {
  console.log(`${proof.name}: ${proof.shows}`)
  const begun = Date.now()
  const { output, summary } = await attempt(proof.name, ...proof.args)
  const seconds = (Date.now() - begun) / 1_000
  const planted = summary?.skipped === undefined ? await runPlanted(proof) : []
  const result = { proof, summary, seconds, planted }
  console.log(summary && isProved(result) ? `  ${sentence(summary)}` : output)
  for (const { bug, caught } of planted) console.log(`  ${bug}: ${caught ? 'caught' : 'NOT caught'}`)
  return result
}

async function runPlanted({ name, planted }: Proof): Promise<Result['planted']> {
  const found: { bug: string; caught: boolean }[] = []
  for (const { bug, args } of planted) {
    const { summary } = await attempt(name, ...args)
    found.push({ bug, caught: summary !== undefined && hasFaults(summary) })
  }
  return found
}

function page(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const { node, sqlite = 'unknown' } = process.versions
  const versions = { Holdfast: manifest.version as string, Node: node, SQLite: sqlite }
  return evidencePage(results, { date: new Date().toISOString().slice(0, 10), versions })
}
