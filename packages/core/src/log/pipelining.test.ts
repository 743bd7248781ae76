import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { Commit } from '../store/store.ts'
import { unknownOutcome, withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'

eachStore('one busy session', (place) => {
  it('shares commits between writes that wait, in the order they came', async () => {
    const batches: (readonly Commit[])[] = []
    const wrap = withCommit((commits, commit) => {
      batches.push(commits)
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    batches.length = 0
    const writes = Array.from({ length: 500 }, (_, n) => session.append(user(`${n}`)))
    const appended = await Promise.all(writes)
    expect(batches.length).toBeLessThan(10)
    expect(appended.map(({ lastSeq }) => lastSeq)).toEqual(Array.from({ length: 500 }, (_, n) => n + 3))
    const { messages } = await session.messages({ limit: 500 })
    expect(textsOf(messages)).toEqual(Array.from({ length: 500 }, (_, n) => `${n}`))
  })

  it('decides on what is not yet durable: ids, calls and parts', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    const writes = await Promise.allSettled([
      session.append(user('one', { id: 'm1' })),
      session.append(user('again', { id: 'm1' })),
      session.append(calling('c1')),
      session.append(result('c1')),
      session.append(result('c1')),
      session.patchMetadata({ a: 1 }),
      session.patchMetadata({ b: 2 }),
      session.append(assistant('answer', { replyTo: 'm1' })),
      session.undo(),
      session.redo(),
    ] as Promise<unknown>[])
    expect(writes.map(({ status }) => status === 'fulfilled')).toEqual([
      true,
      false,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
      true,
    ])
    expect((writes[1] as PromiseRejectedResult).reason).toMatchObject({ code: 'duplicate_id' })
    expect((writes[4] as PromiseFulfilledResult<{ changed: boolean }>).value.changed).toBe(false)
    const view = await session.view()
    expect(view.metadata).toEqual({ a: 1, b: 2 })
    expect(view.counters).toMatchObject({ messageCount: 4, exchangeCount: 1 })
  })

  it('decides again what stood on a commit that failed', async () => {
    let isFailing = false
    const wrap = withCommit((commits, commit) => {
      if (!isFailing) return commit(commits)
      isFailing = false
      throw new HoldfastError('store_full', 'no room')
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('first'))
    isFailing = true
    const lost = session.append(user('lost', { id: 'm1' }))
    // Keyed writes stand alone, so these wait behind the one that fails.
    const kept = session.append(user('kept', { id: 'm1' }), { key: 'k1' })
    const next = session.append(user('next', { replyTo: 'm1' }), { key: 'k2' })
    await expect(lost).rejects.toMatchObject({ code: 'store_full' })
    expect((await kept).lastSeq).toBe(4)
    expect((await next).lastSeq).toBe(5)
    expect(textsOf((await session.messages()).messages)).toEqual(['first', 'kept', 'next'])
  })

  it('leaves other sessions alone when its own write is refused', async () => {
    const { sessions } = await place.open()
    const [a, b] = await Promise.all([sessions.create({ agentId: 'a' }), sessions.create({ agentId: 'b' })])
    await a.close()
    const writes = await Promise.allSettled([
      a.append(user('no')),
      b.append(user('yes')),
      a.append(user('no')),
    ])
    expect(writes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
  })
})

eachStore('a commit whose outcome is unknown', (place) => {
  it('is sent again, and counts as written when the log bears its id', async () => {
    for (const isWritten of [true, false]) {
      let isFailing = false
      let calls = 0
      const wrap = withCommit(async (commits, commit) => {
        calls += 1
        if (!isFailing) return commit(commits)
        isFailing = false
        if (isWritten) await commit(commits)
        throw unknownOutcome()
      })
      const { sessions } = await place.open({ wrap })
      const session = await sessions.create({ agentId: 'agent' })
      await session.append(user('before'))
      isFailing = true
      calls = 0
      const writes = Array.from({ length: 5 }, (_, n) => session.append(user(`${n}`)))
      const more = session.append(user('keyed'), { key: 'k' })
      expect((await Promise.all(writes)).map(({ lastSeq }) => lastSeq)).toEqual([4, 5, 6, 7, 8])
      expect(await more).toMatchObject({ lastSeq: 9, replayed: false })
      expect(calls).toBe(3)
      expect((await session.view()).counters.messageCount).toBe(7)
    }
  })

  it('creates the session once', async () => {
    let failures = 2
    const wrap = withCommit(async (commits, commit) => {
      const outcomes = await commit(commits)
      if (failures-- > 0) throw unknownOutcome()
      return outcomes
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    expect((await session.view()).seq).toBe(1)
    const again = await sessions.create({ agentId: 'agent' }, { key: 'k' })
    const third = await sessions.create({ agentId: 'agent' }, { key: 'k' })
    expect(third.id).toBe(again.id)
  })

  it('is an error that says so when the store stays silent', async () => {
    let isDead = false
    const wrap = withCommit((commits, commit) => {
      if (isDead) throw unknownOutcome()
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap, random: () => 0 })
    const session = await sessions.create({ agentId: 'agent' })
    isDead = true
    await expect(session.append(user('?'))).rejects.toMatchObject({ code: 'commit_unknown', retry: 'later' })
    isDead = false
    await session.append(user('!'))
    expect((await session.view()).counters.messageCount).toBe(1)
  })
})
