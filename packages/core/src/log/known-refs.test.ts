import { describe, expect, it } from 'vitest'
import type { Store } from '../store/store.ts'
import { KnownRefs } from './known-refs.ts'
import { TailMemory } from './tail-memory.ts'
import { withMembers } from './testing/between.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

/** The ids that the store was asked for. */
function noting(asked: string[]): (store: Store) => Store {
  return (store) =>
    withMembers(store, {
      readRefs(tenantId, sessionId, kind, id) {
        asked.push(id)
        return store.readRefs(tenantId, sessionId, kind, id)
      },
    })
}

const named = (id: string) => ({ ...user(`says ${id}`), id })

eachStore('ids of a session that began here', (place) => {
  it('are known without a read, used ones and free ones', async () => {
    const asked: string[] = []
    const holdfast = await place.open({ wrap: noting(asked) })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    for (const id of ['a', 'b', 'c']) await session.append(named(id))
    await session.batch(['d', 'e'].map((id) => ({ type: 'append', message: named(id) })))
    await expect(session.append(named('b'))).rejects.toMatchObject({ code: 'duplicate_id' })
    await session.append(named('f'))
    await expect(session.append(named('e'))).rejects.toMatchObject({ code: 'duplicate_id' })
    expect(asked).toEqual([])
  })

  it('are looked for in a fork, whose prefix is of another one', async () => {
    const asked: string[] = []
    const { sessions } = await place.open({ wrap: noting(asked) })
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(named('a'))
    const fork = await session.fork()
    await expect(fork.append(named('a'))).rejects.toMatchObject({ code: 'duplicate_id' })
    expect(asked).toContain('a')
  })

  it('are looked for again after an erasure', async () => {
    const asked: string[] = []
    const { sessions } = await place.open({ wrap: noting(asked) })
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(named('a'))
    await session.append(named('b'))
    await sessions.eraseMessage(session.id, 'a')
    asked.length = 0
    await session.append(named('c'))
    expect(asked).toContain('c')
  })
})

eachSharedStore('ids of a session that two write to', (place) => {
  async function heldByTwo() {
    const [here, there] = [await place.open(), await place.open()]
    const session = await here.sessions.create({ agentId: 'agent' })
    await session.append(named('a'))
    const other = await there.sessions.open(session.id)
    if (other.lifecycle !== 'active') throw new Error(other.lifecycle)
    return { session, other }
  }

  it('are refused that the other one used, to whoever began it', async () => {
    const { session, other } = await heldByTwo()
    await other.append(named('b'))
    await expect(session.append(named('b'))).rejects.toMatchObject({ code: 'duplicate_id' })
    await session.append(named('c'))
    await expect(other.append(named('c'))).rejects.toMatchObject({ code: 'duplicate_id' })
  })

  it('are those of the log, not of a decision that came too late', async () => {
    const { session, other } = await heldByTwo()
    await other.append(named('b'))
    await session.append(named('c'))
    await expect(session.append(named('b'))).rejects.toMatchObject({ code: 'duplicate_id' })
  })
})

describe('known refs', () => {
  const ref = (id: string, seq: number) => ({ kind: 'message' as const, id, seq })

  it('are all of a log through the event that was added last', () => {
    const refs = new KnownRefs(new TailMemory())
    refs.add([ref('a', 2)], 3)
    refs.add([ref('a', 4)], 4)
    expect(refs.seqsOf('message', 'a')).toEqual([2, 4])
    expect(refs.seqsOf('call', 'a')).toEqual([])
    expect([3, 4, 5].map((seq) => refs.isOf(seq))).toEqual([false, true, false])
  })

  it('are let go of where there are too many, those of the session written to longest ago first', () => {
    const memory = new TailMemory(30_000)
    const [first, second] = [new KnownRefs(memory), new KnownRefs(memory)]
    const many = Array.from({ length: 100 }, (_, n) => ref(`m${n}`, n + 1))
    first.add(many, 100)
    second.add(many, 100)
    expect([first.isOf(100), second.isOf(100)]).toEqual([false, true])
    expect(first.seqsOf('message', 'm1')).toBeUndefined()
    first.add([ref('later', 101)], 101)
    expect(first.seqsOf('message', 'later')).toBeUndefined()
  })

  it('of one session are not more than some thousands', () => {
    const [many, few] = [new KnownRefs(new TailMemory()), new KnownRefs(new TailMemory())]
    const named = (n: number) => ref(`m${n}`, n + 1)
    many.add(
      Array.from({ length: 10_000 }, (_, n) => named(n)),
      10_000,
    )
    few.add(
      Array.from({ length: 4_000 }, (_, n) => named(n)),
      4_000,
    )
    expect([many.isOf(10_000), few.isOf(4_000)]).toEqual([false, true])
  })
})
