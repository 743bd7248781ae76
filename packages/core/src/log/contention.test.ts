import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Commit } from '../store/store.ts'
import { withCommit } from './testing/between.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { textsOf, typesOf, user } from './testing/messages.ts'

eachSharedStore('two writers of one session', (place) => {
  it('both get all their writes in, each once, in an order of their own', async () => {
    const [a, b] = [await place.open(), await place.open()]
    const { id } = await a.sessions.create({ agentId: 'agent' })
    const [first, second] = [await a.sessions.open(id), await b.sessions.open(id)]
    if (first.lifecycle !== 'created' || second.lifecycle !== 'created') throw new Error('not created')
    const write = async (session: typeof first, name: string) => {
      for (let n = 0; n < 40; n++) await session.append(user(`${name}${n}`))
    }
    await Promise.all([write(first, 'a'), write(second, 'b')])
    const { messages } = await first.messages({ limit: 100 })
    const texts = textsOf(messages)
    for (const name of ['a', 'b']) {
      expect(texts.filter((text) => text.startsWith(name))).toEqual(
        Array.from({ length: 40 }, (_, n) => `${name}${n}`),
      )
    }
    const { events } = await second.events({ limit: 200 })
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1))
    expect(typesOf(events).filter((type) => type === 'session.activated')).toHaveLength(1)
    expect(await second.view()).toMatchObject({ counters: { messageCount: 80 }, seq: 82 })
  })

  it('never put an event on another state than it was decided on, though the seqs would fit', async () => {
    const [a, b] = [await place.open(), await place.open()]
    const { id } = await a.sessions.create({ agentId: 'agent' })
    const ours = await a.sessions.open(id)
    const theirs = await b.sessions.open(id)
    if (ours.lifecycle !== 'created' || theirs.lifecycle !== 'created') throw new Error('not created')
    await ours.append(user('start'))
    // Both are decided by `a` on seq 3; `b` then takes seq 4. The second of `a` fits seq 4, and must not stand there.
    const keyed = ours.append(user('one', { id: 'x' }), { key: 'k1' })
    const dependant = ours.append(user('two', { replyTo: 'x' }), { key: 'k2' })
    await theirs.append(user('rival'))
    await Promise.all([keyed, dependant])
    const { messages } = await ours.messages()
    const texts = textsOf(messages)
    expect(texts.indexOf('two')).toBeGreaterThan(texts.indexOf('one'))
    expect((await ours.view()).counters.messageCount).toBe(4)
  })

  it('do not believe a cached head when they refuse', async () => {
    const [a, b] = [await place.open(), await place.open()]
    const { id } = await a.sessions.create({ agentId: 'agent' })
    const [ours, theirs] = [await a.sessions.open(id), await b.sessions.open(id)]
    if (ours.lifecycle !== 'created' || theirs.lifecycle !== 'created') throw new Error('not created')
    await ours.pin(true)
    const { version } = await theirs.pin(false)
    // Both would be refused, or be nothing, on the head that `a` remembers.
    expect((await ours.pin(true)).changed).toBe(true)
    await theirs.rename('x')
    await ours.append(user('hi'), { expectedVersion: (version as number) + 2 })
    expect((await ours.view()).pinned).toBe(true)
  })
})

eachStore('a rival that always wins', (place) => {
  it('is given way to a bounded number of times, and nothing is written', async () => {
    let tries = 0
    let isRival = false
    const wrap = withCommit(async (commits: readonly Commit[], commit) => {
      if (!isRival) return commit(commits)
      tries += 1
      return commits.map(() => ({ status: 'conflict' as const, seq: 1 }))
    })
    const { sessions } = await place.open({ wrap, random: () => 0 })
    const session = await sessions.create({ agentId: 'agent' })
    isRival = true
    await expect(session.append(user('never'))).rejects.toMatchObject({ code: 'contention', retry: 'later' })
    expect(tries).toBe(limits.commitTries)
    isRival = false
    expect((await session.view()).seq).toBe(1)
    await session.append(user('now'))
  })
})
