import { expect, it } from 'vitest'
import { memory } from '../store/memory/index.ts'
import type { Store } from '../store/store.ts'
import { readProviderView } from './context-read.ts'
import { LiveView } from './live-view.ts'
import { type Loaded, LogReads } from './log-reads.ts'
import { TailMemory } from './tail-memory.ts'
import { Tails } from './tails.ts'
import { withMembers } from './testing/between.ts'
import { eachStore, HeldClock } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'
import { writeRandomSessions } from './testing/random-sessions.ts'
import { upcasters } from './upcast.ts'

/** A log as it was at an earlier moment. */
class Earlier extends LogReads {
  seq = 0
  override async getHead(sessionId: string): Promise<Loaded | undefined> {
    const { head } = await this.stateAt(sessionId, this.seq)
    return { state: { head, parts: {} }, lease: { epoch: 0, owner: undefined, expiresAtMs: undefined } }
  }
}

/** Within a commit there is no moment to look at. */
async function endsOfCommits(reads: LogReads, sessionId: string): Promise<number[]> {
  const rows = await reads.readRows(sessionId, { limit: 1_000 })
  return rows.flatMap(({ seq, commitId }, i) => (rows[i + 1]?.commitId === commitId ? [] : [seq]))
}

function nobodyFollows(reads: LogReads): Tails {
  return new Tails(reads, new TailMemory())
}

it.each([1, 2, 3, 4, 5, 6])(
  'a view that is kept is the view that is read, after every commit of random sessions: seed %i',
  async (seed) => {
    const clock = new HeldClock()
    const store = await memory().open({ clock: clock.now })
    const { holdfast, sessionIds } = await writeRandomSessions(store, clock, seed, 250)
    for (const sessionId of sessionIds) {
      const session = await holdfast.sessions.get(sessionId)
      if (!session || session.forkedFrom) continue
      const reads = new Earlier(store, holdfast.tenantId, upcasters)
      const live = new LiveView(reads, nobodyFollows(reads), sessionId)
      for (reads.seq of await endsOfCommits(reads, sessionId)) {
        const read = await readProviderView(reads, sessionId)
        expect(await live.read(), `seed ${seed}, ${sessionId} at ${reads.seq}`).toEqual(read)
      }
    }
  },
)

eachStore('a view that is kept', (place) => {
  it('reads what is new, and gives what stood before as the same objects', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const view = session.liveView()
    expect(await view.read()).toEqual([])
    await session.append([user('one'), calling('c1'), result('c1')])
    const first = await view.read()
    await session.append([assistant('two'), user('three'), calling('c1'), result('c1', 'again')])
    const second = await view.read()
    expect(second[0]).toBe(first[0])
    await session.append(user('more'))
    // All but the last step of the view before.
    const third = await view.read()
    for (const i of [0, 1, 2, 3]) expect(third[i]).toBe(second[i])
    expect(third).toEqual(await session.providerView())
    await session.undo()
    await session.undo()
    expect(textsOf(await view.read())).toEqual(['one', 'tool_call', 'tool_result', 'two'])
    const { lastSeq = 0 } = await session.append(user('four'))
    await session.trimContext({ trimmed: 1, throughSeq: lastSeq })
    expect(await view.read()).toEqual(await session.providerView())
  })

  it('gives each of several that read at once what stands there, and no message twice', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const view = session.liveView()
    const first = await Promise.all([view.read(), view.read()])
    await session.append([user('one'), assistant('two')])
    const second = await Promise.all([view.read(), view.read(), view.read()])
    expect([...first, ...second].map(textsOf)).toEqual([[], [], ...second.map(() => ['one', 'two'])])
    await session.append(user('three'))
    expect(await view.read()).toEqual(await session.providerView())
    expect(view.generation).toBe(1)
  })

  it('is read by the next one after a read that failed', async () => {
    const failing = { next: false }
    const wrap = (store: Store) =>
      withMembers(store, {
        readHead: (...asked: Parameters<Store['readHead']>) => {
          if (!failing.next) return store.readHead(...asked)
          failing.next = false
          return Promise.reject(new Error('the disk is gone'))
        },
      })
    const { sessions } = await place.open({ wrap })
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const view = session.liveView()
    await view.read()
    await session.append(user('one'))
    failing.next = true
    const [failed, next] = await Promise.allSettled([view.read(), view.read()])
    expect(failed.status).toBe('rejected')
    expect(next).toMatchObject({ status: 'fulfilled', value: await session.providerView() })
  })

  it('takes in what waited while a compaction covered the place where it was written', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const { messages } = await session.append([user('one'), assistant('two')])
    const run = await session.startRun({ owner: 'worker', ttlMs: 10_000 })
    await session.append(user('waits'))
    const { lastSeq = 0 } = await run.batch([{ type: 'startRound' }])
    const view = session.liveView()
    await view.read()
    const [first] = messages.map(({ seq }) => seq)
    const { pathSeq } = await session.contextState()
    const record = { compactionId: 'c', from: first as number, to: lastSeq, trigger: 'manual' as const }
    const sizes = { messagesCovered: 2, tokensBefore: 100, tokensAfter: 10 }
    await run.batch([
      {
        type: 'applyCompaction',
        ...{ pathSeq, record: { ...record, ...sizes }, summary: 'said', summaryTokens: 5 },
      },
    ])
    expect(textsOf(await view.read())).toEqual([expect.stringContaining('said')])
    await run.batch([{ type: 'completeRound' }])
    await run.complete()
    expect(textsOf(await view.read())).toEqual([expect.stringContaining('said'), 'waits'])
    expect(await view.read()).toEqual(await session.providerView())
  })

  it('takes what this process wrote to a session that is followed from memory', async () => {
    let reads = 0
    const counted = <T extends unknown[], R>(read: (...asked: T) => R) => {
      return (...asked: T): R => {
        reads += 1
        return read(...asked)
      }
    }
    const wrap = (store: Store) =>
      withMembers(store, {
        readHead: counted((...asked: Parameters<Store['readHead']>) => store.readHead(...asked)),
        readEvents: counted((...asked: Parameters<Store['readEvents']>) => store.readEvents(...asked)),
      })
    const { sessions } = await place.open({ wrap })
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const leaving = new AbortController()
    const seen: string[] = []
    const following = (async () => {
      for await (const item of session.follow({ signal: leaving.signal }))
        if (item.type === 'event') seen.push(item.eventType)
    })()
    const view = session.liveView()
    await session.append(user('one'))
    await view.read()
    await expect.poll(() => seen.at(-1)).toBe('message.appended')
    reads = 0
    await session.append([calling('c1'), result('c1')])
    expect(textsOf(await view.read())).toEqual(['one', 'tool_call', 'tool_result'])
    expect(reads).toBe(0)
    await session.undo()
    expect(await view.read()).toEqual([])
    leaving.abort()
    await following
  })
})
