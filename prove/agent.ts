/**
 * A turn goes on, or ends, whenever its process dies: one with tools, an approval, a question, a child and a compaction is
 * killed before and after each of its durable steps, and many others anywhere, some of them again and again. The agents
 * talk to a provider over HTTP that refuses what real ones refuse.
 *
 * `npm run prove:agent -- --turns 200 --seed 7`; `--every 5` looks at each fifth point. `--planted` and must fail: `rerun` a
 * tool that may not run twice, `abandoned` runs, results `dropped` from the prompt. The seed chooses who is killed after how
 * many steps; the machine chooses what is under way then.
 */
import { join } from 'node:path'
import { type ProviderStub, startProviderStub } from '@holdfast/agent/testing'
import { Lane, type Point } from './lib/agent/lane.ts'
import { scriptFor } from './lib/agent/script.ts'
import type { Plant } from './lib/agent/task.ts'
import { knobs } from './lib/args.ts'
import { temporaryFolder } from './lib/place.ts'
import { Random } from './lib/random.ts'
import { summarize } from './lib/summary.ts'

const { turns, every, seed, planted } = knobs({ turns: 200, every: 1, planted: '' })
console.log(`agent: ${turns} turns, seed ${seed}${planted ? `, planted: ${planted}` : ''}`)

const lanes = 2
const turnsAtOnce = 4
/** Durable steps of one turn, about. */
const stepsOfTurn = 60
const folder = temporaryFolder()
const counted = { points: 0, 'points not come to': 0, turns: 0, kills: 0, requests: 0 }
const faults = { refused: 0, 'left running': 0, 'ran twice': 0, 'ends amiss': 0, wrong: 0 }

const stub: ProviderStub = await startProviderStub({ script: scriptFor(() => stub) })
const points = await allPoints()
await Promise.all(Array.from({ length: lanes }, (_, lane) => proveLane(lane)))
await stub.close()
counted.requests = stub.exchanges.length
const refusals = stub.exchanges.flatMap(({ refusal }) => (refusal === undefined ? [] : [refusal]))
blame('refused', refusals)
summarize({ seed, counted, faults })

/** Every durable step of a turn that nobody disturbs, by its name, before and after it. */
async function allPoints(): Promise<Point[]> {
  const lane = await openLane('undisturbed')
  const steps = await lane.playOut(['undisturbed'])
  await lane.close()
  const chosen = steps.filter((_step, at) => at % every === 0)
  return chosen.flatMap((step) => [
    { step, side: 'before' as const },
    { step, side: 'after' as const },
  ])
}

function openLane(name: string): Promise<Lane> {
  return Lane.open({
    ...{ place: join(folder, name), baseUrl: stub.baseUrl, planted: planted as Plant },
    blame,
  })
}

/** First the points that are this lane's, then turns that are killed anywhere. */
async function proveLane(nth: number): Promise<void> {
  const random = new Random(seed + nth)
  const lane = await openLane(`lane-${nth}`)
  for (const [at, death] of points.entries())
    if (at % lanes === nth && !isCaught()) await proveAt(lane, death, `point-${at}`)
  while (counted.turns < turns && !isCaught()) await proveAnywhere(lane, random)
  await lane.close()
}

/** A planted bug was seen: there is nothing more to find. What is refused is read from the stub. */
function isCaught(): boolean {
  switch (planted) {
    case 'rerun':
      return faults['ran twice'] > 0
    case 'abandoned':
      return faults['left running'] > 0
    case 'dropped':
      return stub.exchanges.some(({ refusal }) => refusal !== undefined)
    default:
      return false
  }
}

async function proveAt(lane: Lane, death: Point, session: string): Promise<void> {
  const died = await lane.playToDeath([session], death)
  counted[died ? 'points' : 'points not come to'] += 1
  await lane.playOut([session])
}

async function proveAnywhere(lane: Lane, random: Random): Promise<void> {
  const first = counted.turns
  const count = Math.min(turnsAtOnce, turns - first)
  counted.turns += count
  const sessions = Array.from({ length: count }, (_, n) => `turn-${first + n}`)
  do {
    const isKilled = await lane.playUntilKilled(sessions, random.below(stepsOfTurn * count), random.below(5))
    if (isKilled) counted.kills += 1
  } while (random.chance(0.4))
  await lane.playOut(sessions)
}

function blame(kind: keyof typeof faults, found: readonly string[]): void {
  faults[kind] += found.length
  for (const fault of found.slice(0, 5)) console.error(`${kind}: ${fault}`)
}
