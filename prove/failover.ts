/**
 * A primary whose machine dies under load loses nothing that was acknowledged: each commit had waited for one of two
 * standbys, the one that has received most is promoted, and the writers find it by themselves.
 *
 * `npm run prove:failover -- --runs 20 --seed 7`. Planted bugs, which must fail: `--planted asynchronous`, where no commit
 * waits for a standby, and `--planted least`, where the standby that has received least is promoted.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { findPrograms } from '../tools/postgres/programs.ts'
import { knobs } from './lib/args.ts'
import type { Audited, Findings } from './lib/audit.ts'
import { Child } from './lib/child.ts'
import { Cluster } from './lib/cluster.ts'
import { merged } from './lib/history.ts'
import { Random } from './lib/random.ts'
import type { ServerPlace } from './lib/stores.ts'
import { summarize } from './lib/summary.ts'
import { asAdmin } from './lib/troubles.ts'
import { Writing } from './lib/writing.ts'

const { runs, seed, planted } = knobs({ runs: 5, planted: '' })
if (!['', 'asynchronous', 'least'].includes(planted))
  throw new Error(`--planted is one of asynchronous, least, not ${planted}`)
const programs = findPrograms()
if ('missing' in programs) {
  console.log(`failover: skipped, ${programs.missing}`)
  summarize({ seed, counted: {}, faults: {}, skipped: programs.missing })
  process.exit()
}
console.log(`failover: ${runs} runs, seed ${seed}${planted && `, planted: ${planted}`}`)

const servedWithinMs = 5_000
const random = new Random(seed)
const totals = { lost: 0, duplicated: 0, reordered: 0, wrong: 0 }
const waits: number[] = []
let acked = 0
let version = 'unknown'

let done = 0
// A planted bug that was seen is caught.
for (; done < runs && !(planted && totals.lost > 0); done++) await proveRun()

waits.sort((a, b) => a - b)
console.log(`served again after ${waits[waits.length >> 1]} ms (median), ${waits.at(-1)} ms (longest)`)
summarize({ seed, counted: { runs: done, acked }, faults: totals, versions: { Postgres: version } })

async function proveRun(): Promise<void> {
  const cluster = await Cluster.start(2, planted === 'asynchronous' ? '' : 'ANY 1 (*)', random)
  version = await asAdmin(cluster.primary, async (admin) => {
    await admin.query('CREATE ROLE writer LOGIN')
    return (
      (await admin.query<{ server_version: string }>('SHOW server_version')).rows[0]?.server_version ?? ''
    )
  })
  const place: ServerPlace = {
    url: cluster.urlOf('writer'),
    schema: 'proof',
    migrationUrl: cluster.urlOf('postgres'),
  }
  const writings = [1, 2].map((writer) => new Writing(taskOf(place, writer)))
  await Promise.all(writings.map((writing) => writing.servedSince(0)))
  await sleep(500 + random.below(700))
  await cluster.kill()
  const begunMs = Date.now()
  await cluster.promote(planted === 'least' ? 'least' : 'most')
  await note(await Promise.all(writings.map((writing) => writing.servedSince(begunMs))))
  for (const end of writings.map((writing) => writing.stop())) blame('wrong', await end)
  const history = merged(writings.map((writing) => writing.history))
  await audit({
    place: {
      ...place,
      url: cluster.primary.url.replace('postgres@', 'writer@'),
      migrationUrl: cluster.primary.url,
    },
    ops: [...history.ops.values()],
    drafted: [...history.drafts.values()],
  })
  blame('wrong', history.wrong)
  acked += history.count('acked')
  await cluster.remove()
}

/** Eight writers: four that share a session with those of the other process, four of a session of their own. */
function taskOf(place: ServerPlace, writer: number) {
  return { place, writer, sessions: ['a', `own${writer}`], running: [], again: [], planted: false }
}

async function note(servedMs: readonly number[]): Promise<void> {
  waits.push(...servedMs)
  const late = servedMs.filter((waitMs) => waitMs >= servedWithinMs)
  blame(
    'wrong',
    late.map((waitMs) => `a writer was served again after ${waitMs} ms`),
  )
}

async function audit(audited: Audited): Promise<void> {
  const auditor = new Child<Findings>(new URL('./lib/auditor.ts', import.meta.url))
  auditor.send(audited)
  const findings = await auditor.require()
  auditor.kill()
  for (const kind of ['lost', 'duplicated', 'reordered', 'wrong'] as const) blame(kind, findings[kind])
}

function blame(kind: keyof typeof totals, faults: readonly string[]): void {
  totals[kind] += faults.length
  if (!planted) for (const fault of faults.slice(0, 10)) console.error(`${kind}: ${fault}`)
}
