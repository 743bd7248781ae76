/**
 * The Postgres store beside hand-written statements on the same server, where every commit is synced.
 *
 * `HOLDFAST_BENCH_ROUNDS`: of each contender. `--messages n`: the longest session that the tail is read of. `--sessions n`:
 * how many the list is a page of. `--turns n`, `--bloat-sessions n`: of which the bloat is looked at. `--only name`: one of
 * the measurements. `--out file`: what is printed becomes this page too.
 */
import { writeFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { outputOf } from './lib/output-of.ts'
import { bloat } from './postgres/bloat.ts'
import { byHandTables } from './postgres/by-hand.ts'
import { manyCallers } from './postgres/callers.ts'
import { list } from './postgres/list.ts'
import { oneCaller, turnsToWarm } from './postgres/one-caller.ts'
import { openServer, type Place, rounds, type Server } from './postgres/place.ts'
import { tail } from './postgres/tail.ts'

const sizes = {
  messages: { type: 'string', default: '100000' },
  sessions: { type: 'string', default: '10000' },
  turns: { type: 'string', default: '10240' },
  'bloat-sessions': { type: 'string', default: '64' },
} as const

type Sizes = Record<keyof typeof sizes, string>

const measurements: Readonly<Record<string, (place: Place, sizes: Sizes) => Promise<void>>> = {
  'one-caller': async (place) => oneCaller(place, await byHandTables(place)),
  callers: async (place) => manyCallers(place, await byHandTables(place)),
  tail: async (place, { messages }) => tail(place, await byHandTables(place), Number(messages)),
  list: async (place, { sessions }) => list(place, await byHandTables(place), Number(sessions)),
  bloat: (place, { turns, 'bloat-sessions': sessions }) => bloat(place, Number(turns), Number(sessions)),
}

export async function postgres(): Promise<void> {
  const args = process.argv.slice(3)
  const options = { ...sizes, only: { type: 'string' }, out: { type: 'string' } } as const
  const { out, only, ...wanted } = parseArgs({ args, options }).values
  const names = Object.keys(measurements).filter((name) => only === undefined || only === name)
  if (names.length === 0)
    throw new Error(`--only is one of ${Object.keys(measurements).join(', ')}, not ${only}`)
  if (out !== undefined) return writePage(out, names, args)
  const server = await openServer()
  try {
    const [{ version } = { version: '' }] = await inPlace(server, ({ ask }) => ask('SELECT version()'))
    console.log(`${version.split(' on ')[0]}\n`)
    for (const [name, measure] of Object.entries(measurements)) {
      if (names.includes(name)) await inPlace(server, (place) => measure(place, wanted))
    }
  } finally {
    await server.remove()
  }
}

/** Options that have a value. */
function without(options: readonly string[], args: readonly string[]): string[] {
  return args.filter((arg, n) => !options.includes(arg) && !options.includes(args[n - 1] ?? ''))
}

/** Each measurement has a server and a process of its own: what one leaves behind is not in the way of the next. */
async function writePage(out: string, names: readonly string[], args: readonly string[]): Promise<void> {
  const passed = without(['--out'], args)
  const found: string[] = []
  for (const name of names) {
    const output = await outputOf('postgres', [...without(['--only'], passed), '--only', name])
    found.push(found.length === 0 ? output : output.replace(/^PostgreSQL .*/, ''))
  }
  const page = `# Benchmarks on Postgres

Written by \`npm run bench -- postgres ${[...passed, '--out', out].join(' ')}\`.

${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GB of memory; Node ${process.version.slice(1)}. Server and callers share the cores, every
commit is synced. Medians of ${rounds} rounds, in each of which every contender runs, with the least and the most. What is written by
hand has no tenants, keys, leases, checksums, search or ledger; with the tenant set, for each turn anew, it has the same wall. Each table is of a process
of its own, and one caller is measured once each contender has written ${turnsToWarm.toLocaleString('en')} turns: until then its code is still being compiled.
`
  writeFileSync(out, `${page}\n${found.map((text) => text.trim()).join('\n\n')}\n`)
}

async function inPlace<T>(server: Server, measure: (place: Place) => Promise<T>): Promise<T> {
  const place = await server.place()
  try {
    return await measure(place)
  } finally {
    await place.drop()
  }
}
