/**
 * A worker that was held up past its lease and wakes again can do no harm: it is stopped at any moment, another takes its
 * run over and ends it, and from then on everything that it tries is refused, while the log stays one whole story.
 *
 * `npm run prove:zombie -- --rounds 200 --seed 7`; `--planted` is a store that lets go of the fence and must fail.
 * `--store postgres` is a Postgres.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import { type Lane, lanesOn } from './lib/lanes.ts'
import { Random } from './lib/random.ts'
import { stopOutside } from './lib/stop-outside.ts'
import { storeAt } from './lib/stores.ts'
import { summarize } from './lib/summary.ts'
import { type Attempt, type Story, zombieFindings } from './lib/zombie-audit.ts'
import { endings, type ZombieReport, type ZombieTask } from './lib/zombie-task.ts'

const {
  rounds,
  seed,
  lanes,
  store: name,
  planted,
} = knobs({ rounds: 200, lanes: 4, store: 'sqlite', planted: false })
console.log(
  `zombie: ${rounds} rounds, seed ${seed}, on ${name}${planted ? ', planted: a store without a fence' : ''}`,
)

const counted = { rounds, 'refused operations': 0, 'stopped inside a transaction': 0 }
const faults = { 'zombie writes': 0, 'other faults': 0 }
const places = await lanesOn(name)
let begun = 0

await Promise.all(Array.from({ length: lanes }, (_, lane) => proveLane(lane)))
await places.remove()
summarize({ seed, counted, faults })

type Worker = Child<ZombieReport>

/** A place of its own, with two workers that take turns in being the zombie. */
async function proveLane(lane: number): Promise<void> {
  const at = await places.lane(lane)
  const random = new Random(seed + lane)
  const [one, other] = [startWorker(), startWorker()]
  for (const worker of [one, other]) await worker.require()
  const store = await storeAt(at.place).open({})
  for (let round = 1; begun < rounds; round++) {
    begun += 1
    const session = `z${lane}-${round}`
    const [zombie, rescuer] = round % 2 === 0 ? [one, other] : [other, one]
    const findings = await zombieFindings(store, await proveRound({ zombie, rescuer, session, at, random }))
    counted['refused operations'] += findings.refused
    blame('zombie writes', findings.writes)
    blame('other faults', findings.wrong)
  }
  await store.close()
  for (const worker of [one, other]) worker.kill()
}

function startWorker(): Worker {
  return new Child(new URL('./lib/zombie-worker.ts', import.meta.url))
}

interface Round {
  zombie: Worker
  rescuer: Worker
  session: string
  at: Lane
  random: Random
}

async function proveRound({ zombie, rescuer, session, at, random }: Round): Promise<Story> {
  const ttlMs = 60 + random.below(90)
  const task: ZombieTask = { place: at.place, planted, session, ttlMs, seed: random.next(), do: 'work' }
  zombie.send(task)
  const attempts = attemptsOf(zombie, await zombie.require())
  const takes = random.pick(endings)
  await sleep(random.below(40))
  counted['stopped inside a transaction'] += await stopOutside(zombie, at, random)
  rescuer.send({ ...task, do: takes } satisfies ZombieTask)
  const taken = await rescuer.require()
  const takenAt = process.hrtime.bigint()
  await sleep(random.below(10))
  zombie.wake()
  const done = 'taken' in taken ? await rescuer.require() : taken
  if ('done' in done && done.failed)
    blame('other faults', [`${session}: the rescue was refused as ${done.failed}`])
  return { session, attempts: await attempts, takenAt }
}

/** All that it tries, from its first report, which says that it has a run, to its last. */
async function attemptsOf(zombie: Worker, first: ZombieReport): Promise<Attempt[]> {
  const attempts = new Map<string, Attempt>()
  for (let report = first; ; report = await zombie.require()) {
    if ('done' in report) return [...attempts.values()]
    if ('begun' in report) attempts.set(report.begun, { op: report.begun, at: BigInt(report.at) })
    if ('ended' in report) Object.assign(attempts.get(report.ended) as Attempt, report)
  }
}

function blame(kind: keyof typeof faults, found: readonly string[]): void {
  faults[kind] += found.length
  if (!planted) for (const fault of found.slice(0, 5)) console.error(`${kind}: ${fault}`)
}
