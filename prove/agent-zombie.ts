/**
 * A worker that is stopped in the middle of an agent's turn, past its lease, and wakes when another one has taken the turn
 * over: nothing that it writes as the worker that it was is taken, and the session comes to its end as one story.
 *
 * `npm run prove:agent-zombie -- --zombies 200 --seed 7`; `--planted` is a store that lets go of the fence and must fail.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ProviderStub, startProviderStub } from '@holdfast/agent/testing'
import type { Store } from '@holdfast/core'
import { sqlite } from '@holdfast/core/sqlite'
import { scriptFor } from './lib/agent/script.ts'
import { staleWrites } from './lib/agent/stale-writes.ts'
import {
  type HeldWrite,
  inputs,
  type PlayerReport,
  type PlayerTask,
  type WireName,
  wireNames,
} from './lib/agent/task.ts'
import { familyOf, turnFaults } from './lib/agent/turn-audit.ts'
import { knobs } from './lib/args.ts'
import { Child } from './lib/child.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { stopOutside } from './lib/stop-outside.ts'
import { summarize } from './lib/summary.ts'

const { zombies, seed, planted } = knobs({ zombies: 40, planted: false })
console.log(
  `agent-zombie: ${zombies} zombies, seed ${seed}${planted ? ', planted: a store without a fence' : ''}`,
)

type Player = Child<PlayerReport>

const lanes = 2
const ttlMs = 300
const pollMs = 20
/** Durable steps of one turn, about. */
const stepsOfTurn = 60
const folder = temporaryFolder()
const counted = { zombies: 0, 'taken over': 0, 'writes refused': 0 }
const faults = { 'stale writes': 0, refused: 0, 'left running': 0, 'ran twice': 0, 'ends amiss': 0, wrong: 0 }

const never = (): boolean => false

const stub: ProviderStub = await startProviderStub({ script: scriptFor(() => stub) })
await Promise.all(Array.from({ length: lanes }, (_, lane) => proveLane(lane)))
await stub.close()
blame(
  'refused',
  stub.exchanges.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal])),
)
summarize({ seed, counted, faults })

/** A file of its own, with two workers that take turns in being the zombie. */
async function proveLane(lane: number): Promise<void> {
  const place = join(folder, `lane-${lane}`)
  const random = new Random(seed + lane)
  const [one, other] = [start(), start()]
  const store = await sqlite(`${place}.db`).open({})
  for (let round = 0; counted.zombies < zombies; round++) {
    counted.zombies += 1
    const wire = wireNames[round % wireNames.length] as WireName
    const [zombie, rescuer] = round % 2 === 0 ? [one, other] : [other, one]
    await proveRound({ zombie, rescuer, session: `z${lane}-${round}`, wire, place, random, store })
  }
  await store.close()
  for (const player of [one, other]) player.kill()
}

interface Round {
  zombie: Player
  rescuer: Player
  session: string
  wire: WireName
  /** Path of the lane's files, without their endings. */
  place: string
  random: Random
  store: Store
}

async function proveRound({ zombie, rescuer, session, wire, place, random, store }: Round): Promise<void> {
  const effects = `${place}.effects`
  const task: PlayerTask = {
    ...{ file: `${place}.db`, effects, baseUrl: stub.baseUrl, wire, sessions: [session], planted: '' },
    ...{ aheadMs: 0, ttlMs, pollMs, ...(planted && { fenceless: true as const }) },
  }
  zombie.send(task)
  const writes: HeldWrite[] = []
  const isStopped = await until(zombie, hasDone(random.below(stepsOfTurn)), writes)
  if (isStopped) await stopOutside(zombie, task.file, random)
  rescuer.send(task)
  const isAtWork = await until(rescuer, (report) => 'held' in report && !report.held.isRefused, writes)
  await sleep(random.below(30))
  if (isStopped) zombie.wake()
  await Promise.all([isStopped && until(zombie, never, writes), isAtWork && until(rescuer, never, writes)])
  const found = await turnFaults(store, { session, inputs: inputs.length, effects })
  for (const kind of ['ran twice', 'ends amiss', 'wrong'] as const) blame(kind, found[kind])
  for (const each of await familyOf(store, session)) {
    blame('stale writes', staleWrites(each, writes))
    counted['taken over'] += each.events.filter(({ type }) => type === 'lease.lost').length
  }
  counted['writes refused'] += writes.filter(({ isRefused }) => isRefused).length
}

function start(): Player {
  return new Child(new URL('./lib/agent/player.ts', import.meta.url))
}

function hasDone(steps: number): (report: PlayerReport) => boolean {
  let left = steps
  return (report) => 'step' in report && left-- <= 0
}

/** Reads what a player says until this is said; false: it was done before. */
async function until(
  player: Player,
  isIt: (report: PlayerReport) => boolean,
  writes: HeldWrite[],
): Promise<boolean> {
  for (let report = await player.require(); !('done' in report); report = await player.require()) {
    if ('held' in report) writes.push(report.held)
    if ('stuck' in report) blame('left running', [report.stuck])
    if (isIt(report)) return true
  }
  return false
}

function blame(kind: keyof typeof faults, found: readonly string[]): void {
  faults[kind] += found.length
  if (!planted) for (const fault of found.slice(0, 5)) console.error(`${kind}: ${fault}`)
}
