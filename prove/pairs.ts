/**
 * Whatever happens to a session, what a provider is sent is what that provider takes: random lives of sessions, and for
 * every prefix of every log the provider view, as a request, held to the rules of each provider.
 *
 * `npm run prove:pairs -- --logs 50000 --seed 7`; `--planted` names a broken view, which every provider must refuse:
 * `dropped` results, `open` calls, `doubled` results.
 */
import { contextView, fold, openHoldfast, providerView, type State, viewStateOf } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { knobs } from './lib/args.ts'
import { Life, type World } from './lib/life.ts'
import { breakView } from './lib/planted-view.ts'
import { type Provider, providerNames, providers, requestFrom } from './lib/providers/index.ts'
import { Random } from './lib/random.ts'
import { type RawEvent, readSession } from './lib/stored.ts'
import { phrase, summarize } from './lib/summary.ts'

const { logs, seed, planted } = knobs({ logs: 5_000, planted: '' })
console.log(`pairs: ${logs} logs, seed ${seed}${planted ? `, planted: ${planted}` : ''}`)

const livesPerStore = 200
const random = new Random(seed)
const kinds = new Map<string, number>()
const refused: Record<Provider, number> = { anthropic: 0, chat: 0, responses: 0, gemini: 0 }
let views = 0
let told = 0

for (let left = logs; left > 0; ) left -= await proveLogs(Math.min(left, livesPerStore))
console.log(phrase(Object.fromEntries([...kinds].sort(([a], [b]) => (a < b ? -1 : 1)))))
summarize({ seed, counted: { logs, views }, faults: refused })

/** A new store for some, so that none grows large. Gives how many logs there were: forks count too. */
async function proveLogs(atMost: number): Promise<number> {
  const clock = { nowMs: 1_790_000_000_000 }
  const store = await memory().open({ clock: () => clock.nowMs })
  let id = 0
  const ids = { next: () => `id${++id}` }
  const holdfast = await openHoldfast({ store, ids, random: () => random.next() / 2 ** 32 })
  const world: World = { holdfast, store, clock, random }
  let count = 0
  while (count < atMost) {
    const life = await Life.begin(world)
    for (let steps = 4 + random.below(28); steps > 0; steps--) await life.step()
    for (const sessionId of life.sessions.slice(0, atMost - count)) {
      count += 1
      check((await readSession(store, sessionId))?.events ?? [], sessionId)
    }
  }
  await holdfast.close()
  await store.close()
  return count
}

/** A crash may leave any prefix: each is gone on from. */
function check(events: readonly RawEvent[], sessionId: string): void {
  let state: State | undefined
  for (const [at, event] of events.entries()) {
    state = fold(state, event)
    views += 1
    kinds.set(event.type, (kinds.get(event.type) ?? 0) + 1)
    const view = breakView(planted, providerView(contextView(events.slice(0, at + 1), viewStateOf(state))))
    const request = requestFrom(view)
    for (const name of providerNames) {
      const faults = providers[name](request)
      if (faults.length === 0) continue
      refused[name] += 1
      if (!planted && told++ < 5)
        console.error(`${sessionId} through seq ${at + 1}, ${name}: ${faults.join('; ')}`)
    }
  }
}
