/** One of the processes that share the lives of the pairing proof: it lives them, and holds every view to the rules. */
import { contextView, fold, openHoldfast, providerView, type State, viewStateOf } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { messages, report } from './child.ts'
import { Life, type World } from './life.ts'
import { breakView } from './planted-view.ts'
import { type Provider, providerNames, providers, requestFrom } from './providers/index.ts'
import { Random } from './random.ts'
import { type RawEvent, readSession } from './stored.ts'

export interface LivesTask {
  seed: number
  logs: number
  planted: string
}

/** What was seen in some logs. */
export interface Lives {
  views: number
  /** Events, by type. */
  kinds: Record<string, number>
  /** Views, by who would not take them. */
  refused: Record<Provider, number>
  /** The first of these. */
  told: string[]
}

const mostTold = 5
// Lives are refused much, and nobody reads where.
Error.stackTraceLimit = 0

for await (const task of messages<LivesTask>()) report(await live(task))

/** In a store of their own. Forks are logs too. */
async function live({ seed, logs, planted }: LivesTask): Promise<Lives> {
  const random = new Random(seed)
  const clock = { nowMs: 1_790_000_000_000 }
  const store = await memory().open({ clock: () => clock.nowMs })
  let id = 0
  const ids = { next: () => `id${++id}` }
  const holdfast = await openHoldfast({ store, ids, random: () => random.next() / 2 ** 32 })
  const world: World = { holdfast, store, clock, random }
  const lives: Lives = {
    views: 0,
    kinds: {},
    refused: { anthropic: 0, chat: 0, responses: 0, gemini: 0 },
    told: [],
  }
  for (let left = logs; left > 0; ) {
    const life = await Life.begin(world)
    for (let steps = 4 + random.below(28); steps > 0; steps--) await life.step()
    for (const sessionId of life.sessions.slice(0, left)) {
      left -= 1
      const { events = [] } = (await readSession(store, sessionId)) ?? {}
      check(events, { planted, lives, name: `seed ${seed}, ${sessionId}` })
    }
  }
  await holdfast.close()
  await store.close()
  return lives
}

/** A crash may leave any prefix: each is gone on from. */
function check(
  events: readonly RawEvent[],
  { planted, lives, name }: { planted: string; lives: Lives; name: string },
): void {
  let state: State | undefined
  for (const [at, event] of events.entries()) {
    state = fold(state, event)
    lives.views += 1
    lives.kinds[event.type] = (lives.kinds[event.type] ?? 0) + 1
    const view = breakView(planted, providerView(contextView(events.slice(0, at + 1), viewStateOf(state))))
    const request = requestFrom(view)
    for (const provider of providerNames) {
      const faults = providers[provider](request)
      if (faults.length === 0) continue
      lives.refused[provider] += 1
      if (lives.told.length < mostTold)
        lives.told.push(`${name} through seq ${at + 1}, ${provider}: ${faults.join('; ')}`)
    }
  }
}
