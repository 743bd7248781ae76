import { expect, it } from 'vitest'
import type { EventRange, Store } from '../store/store.ts'
import { withMembers } from './testing/between.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { textsOf, user } from './testing/messages.ts'

/** What is read of events, range by range. */
function counting(ranges: EventRange[]): (store: Store) => Store {
  return (store) =>
    withMembers(store, {
      readEvents(tenantId, sessionId, range) {
        ranges.push(range)
        return store.readEvents(tenantId, sessionId, range)
      },
    })
}

eachStore('the newest messages', (place) => {
  it('are read once, and again only what came since', async () => {
    const ranges: EventRange[] = []
    const holdfast = await place.open({ wrap: counting(ranges) })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    for (let n = 1; n <= 20; n += 1) await session.append(user(`m${n}`))
    const first = await session.messages({ limit: 10 })
    ranges.length = 0
    expect(await session.messages({ limit: 10 })).toEqual(first)
    await session.append(user('m21'))
    expect(textsOf((await session.messages({ limit: 3 })).messages)).toEqual(['m19', 'm20', 'm21'])
    expect(ranges).toEqual([])
    expect(textsOf((await session.messages({ limit: 15 })).messages)).toHaveLength(15)
    expect(ranges).toHaveLength(1)
  })

  it('are the reader’s own: what is changed in them shows in no later look', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append(user('as it was'))
    for (const message of (await session.messages()).messages) message.parts.length = 0
    expect(textsOf((await session.messages()).messages)).toEqual(['as it was'])
  })

  it('that are erased are not kept', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const { lastSeq = 0 } = await session.append(user('a secret'))
    await session.append(user('more'))
    const fork = await session.fork()
    await fork.append(user('and on'))
    expect(textsOf((await fork.messages()).messages)).toEqual(['a secret', 'more', 'and on'])
    expect(textsOf((await session.messages()).messages)).toEqual(['a secret', 'more'])
    await holdfast.sessions.erase(session.id, [lastSeq])
    expect(JSON.stringify([await session.messages(), await fork.messages()])).not.toContain('secret')
  })

  it('that a fork reads from its source are gone with them, before anything is written to the fork', async () => {
    const seen: unknown[] = []
    let read: (() => Promise<unknown>) | undefined
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async commit(commits) {
            const outcomes = await store.commit(commits)
            seen.push(await read?.())
            return outcomes
          },
        }),
    })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const { lastSeq = 0 } = await session.append(user('a secret'))
    const fork = await session.fork()
    await fork.append(user('and on'))
    expect(textsOf((await fork.messages()).messages)).toEqual(['a secret', 'and on'])
    read = () => fork.messages()
    seen.length = 0
    await holdfast.sessions.erase(session.id, [lastSeq])
    expect(JSON.stringify(seen)).toContain('and on')
    expect(JSON.stringify(seen)).not.toContain('secret')
  })

  it('of a long session, and of long messages, are kept in part', async () => {
    const ranges: EventRange[] = []
    const holdfast = await place.open({ wrap: counting(ranges) })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append(Array.from({ length: 300 }, (_, n) => user(`m${n}`)))
    for (const { limit, reads } of [
      { limit: 400, reads: 1 },
      { limit: 400, reads: 1 },
      { limit: 200, reads: 0 },
    ]) {
      ranges.length = 0
      expect((await session.messages({ limit })).messages).toHaveLength(Math.min(limit, 300))
      expect(ranges).toHaveLength(reads)
    }
    await session.append(Array.from({ length: 10 }, () => user('x'.repeat(100_000))))
    ranges.length = 0
    expect((await session.messages({ limit: 2 })).messages).toHaveLength(2)
    expect((await session.messages({ limit: 5 })).messages).toHaveLength(5)
    expect(ranges.length).toBeGreaterThan(0)
  })
})

eachSharedStore('the newest messages that another process', (place) => {
  it('wrote, many or few, are there at the next look', async () => {
    const [ours, theirs] = [await place.open(), await place.open()]
    const session = await ours.sessions.create({ agentId: 'agent' })
    await session.append(user('first'))
    await session.messages()
    const there = await theirs.sessions.open(session.id)
    if (there.lifecycle !== 'active') throw new Error('not active')
    await there.append(user('second'))
    expect(textsOf((await session.messages()).messages)).toEqual(['first', 'second'])
    await there.append(Array.from({ length: 300 }, (_, n) => user(`m${n}`)))
    expect(textsOf((await session.messages({ limit: 2 })).messages)).toEqual(['m298', 'm299'])
    await session.append(user('last'))
    expect(textsOf((await session.messages({ limit: 2 })).messages)).toEqual(['m299', 'last'])
  })

  it('erased are gone at the next look, also when it wrote on', async () => {
    const [ours, theirs] = [await place.open(), await place.open()]
    const session = await ours.sessions.create({ agentId: 'agent' })
    const { lastSeq = 0 } = await session.append(user('a secret'))
    await session.append(user('more'))
    expect(textsOf((await session.messages()).messages)).toEqual(['a secret', 'more'])
    await theirs.sessions.erase(session.id, [lastSeq])
    expect(JSON.stringify(await session.messages())).not.toContain('secret')
    await session.append(user('on'))
    expect(JSON.stringify(await session.messages())).not.toContain('secret')
  })
})
