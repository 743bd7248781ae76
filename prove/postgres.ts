/**
 * A Postgres that stops at any moment under load loses nothing that was acknowledged and leaves nothing half done: its
 * callers live on, hear of typed errors at most, and are served again as soon as it is back.
 *
 * `npm run prove:postgres -- --stops 50 --seed 7`; other troubles: `--trouble terminate`, `freeze`, `crowd`, `network`.
 * `--sync off` is a server that does not sync commits unless it is asked to. Planted bugs, which must fail: `--planted`,
 * a store that takes a broken connection for a commit, and `--sync never`, a server that never syncs in time.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { findPrograms } from '../tools/postgres/programs.ts'
import { startPostgres } from '../tools/postgres/start.ts'
import { knobs } from './lib/args.ts'
import type { Audited, Findings } from './lib/audit.ts'
import { Child } from './lib/child.ts'
import { type Drafted, type History, merged, type Op } from './lib/history.ts'
import { Link } from './lib/link.ts'
import { Random } from './lib/random.ts'
import type { ServerTask } from './lib/server-writer.ts'
import type { ServerPlace } from './lib/stores.ts'
import { summarize } from './lib/summary.ts'
import { syncCommits } from './lib/sync-commits.ts'
import { asAdmin, troubles, urlOf } from './lib/troubles.ts'
import { calm } from './lib/weather.ts'
import { Writing } from './lib/writing.ts'

const { stops, seed, trouble, sync, planted } = knobs({
  stops: 20,
  trouble: 'stop',
  sync: 'on',
  planted: false,
})
const befall = troubles[trouble]
if (!befall) throw new Error(`--trouble is one of ${Object.keys(troubles).join(', ')}, not ${trouble}`)
const programs = findPrograms()
if ('missing' in programs) {
  console.log(`postgres: skipped, ${programs.missing}`)
  summarize({ seed, counted: {}, faults: {}, skipped: programs.missing })
  process.exit()
}
const bug = planted ? ', planted: a broken connection is taken for a commit' : ''
console.log(`postgres: ${stops} times ${trouble}, seed ${seed}, synchronous_commit ${sync}${bug}`)

const servedWithinMs = 5_000
const replayed = 500
const random = new Random(seed)
const totals = { lost: 0, duplicated: 0, reordered: 0, wrong: 0 }

const server = await startPostgres({ durable: true })
const version = await asAdmin(server, async (admin) => {
  await admin.query('CREATE ROLE writer LOGIN')
  await admin.query('CREATE ROLE crowd LOGIN')
  await syncCommits(admin, sync)
  const { rows } = await admin.query<{ server_version: string }>('SHOW server_version')
  return rows[0]?.server_version ?? 'unknown'
})
const link = await Link.open(server.port, calm)
const place: ServerPlace = { url: urlOf(server.url, 'writer'), schema: 'proof', migrationUrl: server.url }
const farPlace: ServerPlace = { ...place, url: link.urlOf(place.url), migrationUrl: link.urlOf(server.url) }

const writings = [1, 2, 3].map((writer) => new Writing(taskOf(writer)))
await Promise.all(writings.map((writing) => writing.servedSince(0)))
const waits: number[] = []
for (let n = 0; n < stops && waits.every(Number.isFinite); n++) {
  await sleep(100 + random.below(700))
  const sinceMs = await befall({ server, link, random })
  waits.push(...(await Promise.all(writings.map((writing) => writing.servedSince(sinceMs)))))
}
const ends = writings.map((writing) => writing.stop())
for (const end of ends) blame('wrong', await end)
const late = waits.filter((waitMs) => waitMs >= servedWithinMs)
blame(
  'wrong',
  late.map((waitMs) => `a writer was served again after ${waitMs} ms`),
)

const history = merged(writings.map((writing) => writing.history))
await audit(history)
const acked = history.count('acked')
blame('wrong', await writeAgain(history))
await audit(history)
blame('wrong', history.wrong)
await link.close()
await server.remove()

waits.sort((a, b) => a - b)
console.log(`served again after ${waits[waits.length >> 1]} ms (median), ${waits.at(-1)} ms (longest)`)
const errors = [...history.errors].map(([code, count]) => `${count} ${code}`)
console.log(`errors that callers saw: ${errors.join(', ') || 'none'}`)
summarize({ seed, counted: { [trouble]: stops, acked }, faults: totals, versions: { Postgres: version } })

function taskOf(writer: number): ServerTask {
  const running = [`x${writer}`, `y${writer}`]
  return { place: farPlace, writer, sessions: ['a', 'b', `own${writer}`], running, again: [], planted }
}

async function audit(history: History): Promise<void> {
  const auditor = new Child<Findings>(new URL('./lib/auditor.ts', import.meta.url))
  const [ops, drafted]: [Op[], Drafted[]] = [[...history.ops.values()], [...history.drafts.values()]]
  auditor.send({ place, ops, drafted } satisfies Audited)
  const findings = await auditor.require()
  auditor.kill()
  history.settle(findings)
  for (const kind of ['lost', 'duplicated', 'reordered', 'wrong'] as const) blame(kind, findings[kind])
}

/** What was acked, sent once more under its key by a process that knows nothing, must be answered with the same effect. */
async function writeAgain(history: History): Promise<string[]> {
  const own = [...history.ops.values()].filter(({ session }) => ['a', 'b', 'own1'].includes(session))
  const keyed = own.flatMap(({ op, session, kind, status }) => {
    return kind && status === 'acked' ? [{ op, session, kind }] : []
  })
  const again = Array.from({ length: Math.min(replayed, keyed.length) }, () => random.pick(keyed))
  const task = { ...taskOf(1), running: [], rounds: 0, planted: false }
  const writing = new Writing({ ...task, again: [...new Set(again)] }, history)
  return writing.stop()
}

function blame(kind: keyof typeof totals, faults: readonly string[]): void {
  totals[kind] += faults.length
  for (const fault of faults.slice(0, 10)) console.error(`${kind}: ${fault}`)
}
