/**
 * A process that dies at any moment loses nothing it acknowledged and leaves nothing half done: writers are killed one
 * after another on one file, and another process compares the file with what they had said. Every other writer kills
 * itself, each at the next of the points in `lib/points.ts`; of the rest every other one writes on a thread of its own.
 *
 * `npm run prove:kill -- --cycles 1000 --seed 7`; `--planted` acks before the commit and must fail. The seed chooses
 * what is written and after how many reports the writer is killed; the machine chooses where exactly it then is.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { knobs } from './lib/args.ts'
import type { Audited, Findings } from './lib/audit.ts'
import { Child } from './lib/child.ts'
import { toFirstSchema } from './lib/first-schema.ts'
import { History, type Op, type Report } from './lib/history.ts'
import { temporaryFolder } from './lib/place.ts'
import { type Point, points } from './lib/points.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'
import type { Again } from './lib/workload.ts'
import type { Task } from './lib/writer.ts'

const { cycles, seed, planted } = knobs({ cycles: 100, planted: false })
console.log(`kill: ${cycles} cycles, seed ${seed}${planted ? ', planted: acks come before commits' : ''}`)

const cyclesPerFile = 20
/** How often a writer may pass its point before it dies there. */
const mostTimes: Record<Point, number> = {
  'before a commit': 60,
  'after a commit, before its ack': 60,
  'amid a migration': 1,
  'amid a compaction': 6,
  'amid a scrub': 1,
}
const deaths: readonly Point[] = [
  'amid a migration',
  ...points.filter((point) => point !== 'amid a migration'),
]
const random = new Random(seed)
const folder = temporaryFolder()
const hits = new Map<Point, number>(points.map((point) => [point, 0]))
let threads = 0
const totals = { acked: 0, lost: 0, duplicated: 0, reordered: 0, unknown: 0, wrong: 0 }

const auditor = new Child<Findings>(new URL('./lib/auditor.ts', import.meta.url))
let warm = startWriter()
for (let done = 0; done < cycles; done += cyclesPerFile)
  await proveFile(Math.min(cyclesPerFile, cycles - done))
warm.kill()
auditor.kill()

console.log(`killed ${[...hits].map(([point, times]) => `${point}: ${times}`).join('; ')}`)
const { acked, unknown, ...faults } = totals
summarize({
  seed,
  counted: { cycles, acked, 'unknown settled': unknown, 'with a writer thread': threads },
  faults,
})

/** Many deaths on one file, so that recoveries follow on recoveries; and a new file before the audits grow long. */
async function proveFile(count: number): Promise<void> {
  const file = join(folder, 'holdfast.db')
  const history = new History()
  let again: Again[] = []
  for (let cycle = 1; cycle <= count; cycle++) {
    const death = deathOf(cycle)
    if (cycle > 1 && death.death?.point === 'amid a migration') toFirstSchema(file)
    await writeUntilKilled(
      {
        file,
        writer: cycle,
        ...sessionsOf(cycle),
        aheadMs: cycle * 120_000,
        again,
        planted,
        compacts: true,
        threaded: isThreaded(cycle),
        ...death,
      },
      history,
    )
    const last = [...history.ops.values()].filter(isOf(cycle))
    again = last.filter((op) => op.status === 'unknown').flatMap(resendable)
    await audit(file, last, history)
  }
  await audit(file, [...history.ops.values()], history)
  totals.acked += history.count('acked')
  blame('wrong', history.wrong)
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
}

/** Each few writers go on with the sessions of the one before. */
function sessionsOf(cycle: number): { sessions: string[]; running: string[] } {
  const name = (place: string) => `g${Math.floor(cycle / 5)}${place}`
  return { sessions: ['a', 'b', 'c', 'd'].map(name), running: ['x', 'y'].map(name) }
}

/** Each point in turn. A file is migrated by its first writer; later it is taken back to be migrated again. */
function deathOf(cycle: number): Pick<Task, 'death'> {
  if (cycle % 2 === 0) return {}
  const point = deaths[((cycle - 1) / 2) % deaths.length] as Point
  return { death: { point, nth: 1 + random.below(mostTimes[point]) } }
}

/** Not where it kills itself: the points are met on its first thread. */
function isThreaded(cycle: number): boolean {
  return cycle % 4 === 0
}

function isOf(cycle: number): (of: { session: string }) => boolean {
  const { sessions, running } = sessionsOf(cycle)
  return ({ session }) => sessions.includes(session) || running.includes(session)
}

/** What a writer left unknown, the next one sends again under its key, whether it was there or not. */
function resendable({ op, session, kind }: Op): Again[] {
  return kind ? [{ op, session, kind }] : []
}

/** Started ahead of its turn: it loads the engine while the one before it works, and opens the file when it is told to. */
function startWriter(): Child<Report> {
  return new Child(new URL('./lib/writer.ts', import.meta.url))
}

async function writeUntilKilled(task: Task, history: History): Promise<void> {
  const writer = warm
  warm = startWriter()
  await writer.require()
  writer.send({ ...task, again: task.again.filter(isOf(task.writer)) })
  if (task.threaded) threads += 1
  if (task.death) hits.set(task.death.point, (hits.get(task.death.point) ?? 0) + 1)
  else await killLater(writer, history)
  for (let report = await writer.next(); report; report = await writer.next()) history.take(report)
  if ((await writer.end()) !== 'SIGKILL') blame('wrong', [`a writer ended by itself: ${writer.errors}`])
}

async function killLater(writer: Child<Report>, history: History): Promise<void> {
  // Now and then it dies while it opens the file, which is when it recovers from the death before.
  const reports = random.chance(0.1) ? 0 : random.below(500)
  for (let read = 0; read < reports; read++) history.take(await writer.require())
  await sleep(random.below(10))
  writer.kill()
}

async function audit(file: string, ops: Op[], history: History): Promise<void> {
  auditor.send({ place: { file }, ops, drafted: [...history.drafts.values()] } satisfies Audited)
  const findings = await auditor.require()
  totals.unknown += history.settle(findings)
  for (const kind of ['lost', 'duplicated', 'reordered', 'wrong'] as const) blame(kind, findings[kind])
}

function blame(kind: 'lost' | 'duplicated' | 'reordered' | 'wrong', faults: readonly string[]): void {
  totals[kind] += faults.length
  for (const fault of faults.slice(0, 10)) console.error(`${kind}: ${fault}`)
}
