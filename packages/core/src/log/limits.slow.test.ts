/** Limits that take megabytes or thousands of rows to meet, as `limits.test.ts` has the others. */
import { limits } from '@holdfast/protocol'
import { expect } from 'vitest'
import type { Store } from '../store/store.ts'
import { openHoldfast } from './holdfast.ts'
import type { InitializingRun } from './run-types.ts'
import {
  type Edge,
  edge,
  type LargeLimit,
  letters,
  many,
  overhead,
  type Scene,
  testBounds,
  testEdges,
  worker,
} from './testing/limit-edges.ts'
import { user } from './testing/messages.ts'

const edges = {
  eventBytes: edge(
    limits.eventBytes,
    ({ session }, size, beside: number) => session.append(user(letters(size - beside))),
    overhead,
  ),
  commitBytes: edge(
    limits.commitBytes,
    ({ session }, size, beside: number) => {
      const largest = user(letters(limits.eventBytes - beside))
      const more = size === limits.commitBytes ? [] : [user('')]
      return session.append([largest, largest, largest, largest, ...more])
    },
    overhead,
  ),
  attachmentBytes: edge(limits.attachmentBytes, ({ session }, size) => {
    return session.putAttachment({ bytes: new Uint8Array(size), mediaType: 'text/plain' })
  }),
  draftBytes: edge(
    limits.draftBytes,
    async (_scene, size, run: InitializingRun) => {
      const draft = run.draft()
      draft.write(letters(size))
      await draft.flush()
    },
    ({ session }) => session.startRun(worker),
  ),
} satisfies { [L in LargeLimit]?: Edge }

const bounds = {
  async pageBytes({ session }) {
    const size = (limits.pageBytes * 3) / 8
    for (let n = 0; n < 3; n++) await session.append(user(letters(size)))
    const pages: number[][] = []
    for (let after = 0, more = true; more; ) {
      const page = await session.events({ after })
      pages.push(page.events.map(({ seq }) => seq))
      after = page.events.at(-1)?.seq ?? 0
      more = page.more
    }
    expect(pages).toEqual([[1, 2, 3, 4], [5]])
  },

  async listScanRows({ place, holdfast, session }) {
    await session.pin(true)
    place.clock.advance(2_000)
    await Promise.all(many(limits.listScanRows, () => holdfast.sessions.create({ agentId: 'agent' })))
    const { sessions, next } = await holdfast.sessions.list({ pinned: true })
    expect(sessions).toEqual([])
    const second = await holdfast.sessions.list({ pinned: true }, { after: next as string })
    expect(second.sessions.map(({ id }) => id)).toEqual([session.id])
    expect(second.next).toBeUndefined()
    // Without a filter a list is bounded by its page.
    expect((await holdfast.sessions.list({}, { limit: limits.pageItems + 500 })).sessions).toHaveLength(
      limits.pageItems,
    )
  },

  async ledgerRows({ store, session }) {
    const count = limits.ledgerRows + 1
    for (let from = 0; from < count; from += limits.commitEvents) {
      const size = Math.min(limits.commitEvents, count - from)
      await session.batch(
        many(size, (n) => ({ type: 'recordUsage', usage: attempt(`a${from + n}`) as never })),
      )
    }
    const looked: number[] = []
    const { usage } = await openHoldfast({ store: counting(store, looked) })
    const { groups } = await usage.rollUp({ by: ['sessionId'] })
    expect(groups).toMatchObject([{ rows: count, promptTokens: count }])
    expect((await usage.rerate({ prices: {} })).groups).toMatchObject([
      { rows: count, rerated: { costUnknown: count } },
    ])
    expect(looked).toEqual([limits.ledgerRows, 1, limits.ledgerRows, 1])
  },

  async searchIndexBytes({ holdfast, session }) {
    const words = many(3, (n) => `needle ${n} `)
    for (const word of words) await session.append(user(word + letters(limits.searchIndexBytes / 2)))
    const first = await holdfast.search('needle')
    expect(first.behind).toBe(true)
    expect(first.hits.length).toBeLessThan(words.length)
    expect(await holdfast.search('needle')).toMatchObject({ behind: false, hits: words.map(() => ({})) })
  },
} satisfies { [L in Exclude<LargeLimit, keyof typeof edges>]: (scene: Scene) => Promise<void> }

testEdges(edges)
testBounds(bounds)

function attempt(attemptId: string) {
  return { attemptId, promptTokens: 1, completionTokens: 0 }
}

/** Notes how many rows each call about the ledger gave or added up. */
function counting(store: Store, looked: number[]): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name !== 'listUsage' && name !== 'rollUpUsage') return member.bind(target)
      return async (...call: unknown[]) => {
        const answer = await member.apply(target, call)
        const rows = name === 'listUsage' ? answer.rows.length : answer.groups[0].rows
        looked.push(rows)
        return answer
      }
    },
  })
}
