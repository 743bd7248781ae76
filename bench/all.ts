/** Every workload on SQLite, each in a process of its own, and the page that says what came out. */
import { writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Database from 'better-sqlite3'
import { outputOf } from './lib/output-of.ts'
import { rounds, share } from './lib/size.ts'

const names = [
  'append',
  'tail',
  'open',
  'list',
  'size',
  'memory',
  'processes',
  'transcripts',
  'cli',
  'http',
  'sse',
  'agent',
]

export async function all(): Promise<void> {
  const { values } = parseArgs({
    args: process.argv.slice(3),
    options: {
      out: { type: 'string', default: fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)) },
    },
  })
  const found: string[] = []
  for (const name of names) found.push(await outputOf(name))
  writeFileSync(values.out, `${head()}\n${found.map((text) => text.trim()).join('\n\n')}\n`)
}

function head(): string {
  const cores = availableParallelism()
  const gib = Math.round(totalmem() / 2 ** 30)
  const command = share === 1 ? '' : `HOLDFAST_BENCH_SHARE=${share} `
  return `# Benchmarks on SQLite

Written by \`${command}npm run bench\`; \`npm run bench -- append\` runs one of the workloads.

${cores} cores, ${gib} GB of memory; Node ${process.version.slice(1)} with SQLite ${process.versions.sqlite} for Holdfast,
better-sqlite3 with SQLite ${sqliteOfBaseline()} for what is written by hand. Every commit is synced (WAL, \`synchronous = FULL\`).
Medians of ${rounds} rounds, in each of which every contender runs, with the least and the most. Ratios are to the first row of
their group.
`
}

function sqliteOfBaseline(): string {
  const db = new Database(':memory:')
  const version = db.prepare('SELECT sqlite_version()').pluck().get() as string
  db.close()
  return version
}
