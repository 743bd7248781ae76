import { expect, it } from 'vitest'
import { withCommit, withMembers } from './testing/between.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { assistant, textsOf, user } from './testing/messages.ts'

const held = { code: 'session_held' }

eachStore('a legal hold', (place) => {
  it('is put on and lifted in every state of a session, and shows in views and lists', async () => {
    const { sessions } = await place.open()
    const created = await sessions.create({ id: 'created', agentId: 'agent' })
    const active = await (await sessions.create({ id: 'active', agentId: 'agent' })).activate()
    const closed = await (await sessions.create({ id: 'closed', agentId: 'agent' })).close()
    const expired = await sessions.create({ id: 'expired', agentId: 'agent', ttlSecs: 1 })
    await sessions.create({ id: 'free', agentId: 'agent' })
    place.clock.advance(1_000)
    for (const session of [created, active, closed, expired]) {
      expect(await session.hold(true, { reason: 'case 7' })).toMatchObject({ changed: true })
      expect(await session.hold(true)).toMatchObject({ changed: false })
      expect((await session.view()).held).toBe(true)
    }
    const { sessions: all } = await sessions.list({ held: true })
    expect(all.map(({ id }) => id).sort()).toEqual(['active', 'closed', 'created', 'expired'])
    expect((await sessions.list({ held: false })).sessions.map(({ id }) => id)).toEqual(['free'])
    await active.append(user('it goes on'))
    await closed.hold(false)
    expect((await closed.view()).held).toBe(false)
    expect((await sessions.delete('closed')).sessionIds).toEqual(['closed'])
  })

  it('is not inherited by a fork', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('x'))
    await session.hold(true)
    const fork = await session.fork()
    expect((await fork.view()).held).toBe(false)
    await sessions.delete(fork.id)
  })

  it('keeps a session, its tree and what rests on it from every deletion, even forced', async () => {
    const { sessions } = await place.open()
    const parent = await sessions.create({ agentId: 'agent' })
    await parent.append(user('x'))
    await parent.spawnChild({ childId: 'child', agentId: 'agent' })
    const fork = await parent.fork({ id: 'fork' })
    const forced = { cascade: true, force: true }
    const child = await sessions.open('child')
    for (const one of [parent, child, fork]) {
      await one.hold(true)
      await expect(sessions.delete(parent.id, forced)).rejects.toMatchObject(held)
      await one.hold(false)
    }
    expect((await sessions.delete(parent.id, forced)).sessionIds.sort()).toEqual(
      ['child', 'fork', parent.id].sort(),
    )
  })

  it('that comes while a deletion is under way is not overlooked', async () => {
    let rival: (() => Promise<unknown>) | undefined
    const { sessions } = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async deleteSession(...call) {
            const racing = rival
            rival = undefined
            await racing?.()
            return store.deleteSession(...call)
          },
        }),
    })
    const session = await sessions.create({ agentId: 'agent' })
    rival = () => session.hold(true)
    await expect(sessions.delete(session.id, { force: true })).rejects.toMatchObject(held)
    expect((await session.view()).held).toBe(true)
  })

  it('keeps every event from erasure, also through a source or a fork', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    const { firstSeq: first = 0 } = await source.append([user('one'), assistant('two')])
    const fork = await source.fork()
    const { firstSeq: own = 0 } = await fork.append(user('three'))
    const { firstSeq: later = 0 } = await source.append(user('four'))
    await source.hold(true)
    await expect(sessions.erase(source.id, [first])).rejects.toMatchObject(held)
    await expect(sessions.erase(fork.id, [first])).rejects.toMatchObject(held)
    await expect(sessions.eraseMessage(source.id, `${later}`)).rejects.toMatchObject(held)
    expect(await sessions.erase(fork.id, [own])).toMatchObject({ events: 1 })
    await source.hold(false)
    await fork.hold(true)
    await expect(sessions.erase(source.id, [first])).rejects.toMatchObject(held)
    expect(await sessions.erase(source.id, [later])).toMatchObject({ events: 1 })
    await fork.hold(false)
    expect(await sessions.erase(source.id, [first])).toMatchObject({ events: 1 })
  })

  it('leaves a forgotten person in the sessions that it names, until it is lifted', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const owned = await sessions.create({ agentId: 'agent', ownerUserId: 'alice' })
    const shared = await sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    await shared.append(user('from alice', { author: 'alice' }))
    const free = await sessions.create({ agentId: 'agent', ownerUserId: 'alice' })
    for (const session of [owned, shared]) await session.hold(true)
    const receipt = await holdfast.eraseUser('alice')
    expect(receipt.held?.toSorted()).toEqual([owned.id, shared.id].sort())
    expect(receipt).toMatchObject({ deletedSessions: 1, sessions: 0 })
    expect(await sessions.get(free.id)).toBeUndefined()
    for (const session of [owned, shared]) await session.hold(false)
    const again = await holdfast.eraseUser('alice')
    expect(again).toMatchObject({ deletedSessions: 1, sessions: 1, events: 4 })
    expect(again.held).toBeUndefined()
  })
})

eachStore('a held fork', (place) => {
  it('that took over a title keeps it, and is named', async () => {
    const { sessions } = await place.open()
    const first = await sessions.create({ agentId: 'agent' })
    await first.append([user('one'), assistant('two')])
    const source = await first.fork()
    const { lastSeq = 0 } = await source.rename('a title')
    const fork = await source.fork({}, { atSeq: 4 })
    await fork.hold(true)
    expect(await sessions.erase(source.id, [lastSeq])).toMatchObject({ events: 1, held: [fork.id] })
    expect((await source.view()).title).toBeUndefined()
    expect((await fork.view()).title).toBe('a title')
  })
})

eachSharedStore('a hold that another process puts on', (place) => {
  it('while an erasure is under way is not overlooked', async () => {
    const other = await place.open()
    let rival: (() => Promise<unknown>) | undefined
    const wrap = withCommit(async (commits, commit) => {
      const racing = commits[0]?.erase && rival
      if (racing) rival = undefined
      await racing?.()
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const session = await sessions.create({ agentId: 'agent' })
    const { firstSeq = 0 } = await session.append([user('one'), assistant('two')])
    rival = async () => (await other.sessions.open(session.id)).hold(true)
    await expect(sessions.erase(session.id, [firstSeq + 1])).rejects.toMatchObject(held)
    expect(rival).toBeUndefined()
    expect(textsOf((await session.messages()).messages)).toEqual(['one', 'two'])
  })
})
