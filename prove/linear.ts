/**
 * Whoever asks, in whatever process, is answered as by one machine that does one thing after the other: clients write,
 * repeat keys, take leases, answer questions and read at once, and for every history an order is looked for that explains
 * every answer and respects the time.
 *
 * `npm run prove:linear -- --histories 2000 --ops 200 --seed 7`; `--planted` names a bug that must be found: `lost-update`,
 * `stale-epoch`, `other-body`, `stale-read`. Now and then a process is killed: what it was doing may have
 * happened or not. `--store postgres` is a Postgres behind a network that holds up, cuts and half-closes connections.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openHoldfast } from '@holdfast/core'
import { knobs } from './lib/args.ts'
import { type Recorded, type Stuck, whyNotLinear } from './lib/linear/check.ts'
import { type EngineOp, engineModel } from './lib/linear/engine-model.ts'
import { Recorder } from './lib/linear/recorder.ts'
import { type SeamOp, seamModel } from './lib/linear/seam-model.ts'
import { begun, firstCommit, makeSession } from './lib/linear/session.ts'
import type { Level, Op } from './lib/linear/task.ts'
import { memoryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { storeIn } from './lib/stores.ts'
import { StormyPlace } from './lib/stormy-place.ts'
import { summarize } from './lib/summary.ts'

const {
  histories,
  ops,
  seed,
  clients,
  store: name,
  planted,
} = knobs({
  histories: 300,
  ops: 200,
  clients: 3,
  store: 'sqlite-normal',
  planted: '',
})
console.log(
  `linear: ${histories} histories of ${ops}, seed ${seed}, on ${name}${planted && `, planted: ${planted}`}`,
)

/** Under way at once, each on a session of its own. */
const atOnce = 4
/** One history in so many loses a process. */
const killEvery = 40

const random = new Random(seed)
const folder = memoryFolder()
const place = name === 'postgres' ? await StormyPlace.open(random) : { near: name, far: name, close() {} }
const store = await storeIn(folder, place.near).open({})
const holdfast = await openHoldfast({ store })
const counted = { histories, operations: 0, 'without an answer': 0, 'processes killed': 0 }
const faults = { 'not linear': 0 }

let given = 0
const processes = await Promise.all(Array.from({ length: 2 }, () => Recorder.start()))
let spare = Recorder.start()
await Promise.all(Array.from({ length: atOnce }, proveHistories))
for (const process of [...processes, await spare]) process.kill()
await holdfast.close()
await store.close()
await place.close()
summarize({ seed, counted, faults })

async function proveHistories(): Promise<void> {
  while (given < histories) {
    given += 1
    await proveHistory(given)
  }
}

async function proveHistory(history: number): Promise<void> {
  const level: Level = history % 2 === 0 ? 'seam' : 'engine'
  const session = `h${history}`
  await makeSession({ store, holdfast }, session, level)
  const task = {
    history,
    session,
    level,
    store: place.far,
    folder,
    planted,
    clients,
    ops: Math.ceil(ops / 2),
  }
  const recordings = processes.map((process) => process.record({ ...task, seed: random.next() }))
  if (history % killEvery === 0) await killOne()
  const records = (await Promise.all(recordings)).flat()
  counted.operations += records.length
  counted['without an answer'] += records.filter(({ end }) => end === undefined).length
  const stuck = level === 'seam' ? whyNotSeam(records) : whyNotEngine(records)
  if (stuck) blame(history, records, stuck)
}

function whyNotSeam(records: Recorded<Op>[]): Stuck<Op> | undefined {
  return whyNotLinear(records as Recorded<SeamOp>[], seamModel(firstCommit))
}

function whyNotEngine(records: Recorded<Op>[]): Stuck<Op> | undefined {
  return whyNotLinear(records as Recorded<EngineOp>[], engineModel(begun))
}

/** In the middle of what it does, for whichever histories; another takes its place for the next ones. */
async function killOne(): Promise<void> {
  const next = await spare
  spare = Recorder.start()
  await sleep(random.below(30))
  const place = random.below(processes.length)
  processes[place]?.kill()
  processes[place] = next
  counted['processes killed'] += 1
}

function blame(history: number, records: Recorded<Op>[], { placed, next }: Stuck<Op>): void {
  faults['not linear'] += 1
  if (planted || faults['not linear'] > 3) return
  console.error(`history ${history}: after ${placed} of ${records.length} operations none of these fits:`)
  for (const op of next) console.error(`  ${JSON.stringify(op)}`)
}
