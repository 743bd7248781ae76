import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { withMembers } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

const secret = 'canary-4713-secret'

eachStore('forgetting a user', (place) => {
  it('finds an owned session that moves past the page that is read', async () => {
    let move: (() => Promise<unknown>) | undefined
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async listHeads(tenantId, query) {
            const moving = query.index === 'all' && query.after ? move : undefined
            if (moving) move = undefined
            await moving?.()
            return store.listHeads(tenantId, query)
          },
        }),
    })
    const { sessions } = holdfast
    const victim = await sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    place.clock.advance(5_000)
    await Promise.all(Array.from({ length: 1_005 }, () => sessions.create({ agentId: 'agent' })))
    place.clock.advance(5_000)
    move = () => victim.append(user(secret))
    expect(await holdfast.eraseUser('bob')).toMatchObject({ deletedSessions: 1 })
    expect(await sessions.get(victim.id)).toBeUndefined()
  })

  it('looks at a session that an import moves past the page that is read, to a time that is past', async () => {
    let move: (() => Promise<unknown>) | undefined
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async listHeads(tenantId, query) {
            const moving = query.index === 'all' && query.after ? move : undefined
            if (moving) move = undefined
            await moving?.()
            return store.listHeads(tenantId, query)
          },
        }),
    })
    const at = (year: number) => ({ at: new Date(Date.UTC(year, 0, 1)).toISOString() })
    const { sessions } = holdfast
    const imported = await sessions.create({ agentId: 'agent' }, at(2018))
    await imported.append(user(secret, { author: 'bob' }), at(2018))
    await Promise.all(Array.from({ length: 1_005 }, () => sessions.create({ agentId: 'agent' }, at(2020))))
    move = () => imported.append(user('the next line'), at(2023))
    expect(await holdfast.eraseUser('bob')).toMatchObject({ events: 1, sessions: 1 })
    expect(JSON.stringify(await imported.events())).not.toContain(secret)
  })

  it('names what cannot be read among more sessions than one page has, and ends', async () => {
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async readSegments(tenantId, sessionId) {
            if (sessionId === 'damaged') throw new HoldfastError('store_corrupt', 'a row of it is damaged')
            return store.readSegments(tenantId, sessionId)
          },
        }),
    })
    const { sessions } = holdfast
    const shared = await sessions.create({ agentId: 'agent' })
    await shared.append(user(secret, { author: 'bob' }))
    await sessions.create({ id: 'damaged', agentId: 'agent' })
    place.clock.advance(10_000)
    await Promise.all(Array.from({ length: 1_005 }, () => sessions.create({ agentId: 'agent' })))
    expect(await holdfast.eraseUser('bob')).toMatchObject({ events: 1, damaged: ['damaged'] })
  })

  it('ends while others are written to without a pause', async () => {
    let isMoving = false
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async listHeads(tenantId, query) {
            place.clock.advance(10_000)
            if (isMoving && query.index === 'all') {
              await holdfast.sessions.create({ agentId: 'agent' })
              await busy.append(user('and on'))
            }
            return store.listHeads(tenantId, query)
          },
        }),
    })
    const { sessions } = holdfast
    const busy = await sessions.create({ agentId: 'agent' })
    const shared = await sessions.create({ agentId: 'agent' })
    await shared.append(user(secret, { author: 'bob' }))
    await Promise.all(Array.from({ length: 1_005 }, () => sessions.create({ agentId: 'agent' })))
    isMoving = true
    expect(await holdfast.eraseUser('bob')).toMatchObject({ events: 1 })
    expect(JSON.stringify(await shared.events())).not.toContain(secret)
  })

  it('takes them out of sessions that they began for others, and leaves those to others', async () => {
    const holdfast = await place.open()
    const bob = holdfast.forTenant('default', { actor: { kind: 'user', id: 'bob' } })
    const input = { agentId: 'agent', ownerUserId: 'team', userParticipantId: 'bob', title: secret }
    const session = await bob.sessions.create({
      ...input,
      purpose: 'autonomous',
      goalText: secret,
      metadata: { secret },
    })
    const fork = await bob.sessions.open(session.id).then((opened) => opened.fork())
    expect(await holdfast.eraseUser('bob')).toMatchObject({ deletedSessions: 0 })
    for (const { id } of [session, fork]) {
      const left = await holdfast.sessions.open(id)
      const view = await left.view()
      expect(view).toMatchObject({ ownerUserId: 'team', agentId: 'agent' })
      const all = JSON.stringify([view, (await left.events()).events])
      expect(all).not.toContain(secret)
      expect(all).not.toContain('bob')
    }
  })

  it('forgets a participant that is changed meanwhile', async () => {
    let rival: (() => Promise<unknown>) | undefined
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async putRecord(...call) {
            const racing = rival
            rival = undefined
            await racing?.()
            return store.putRecord(...call)
          },
        }),
    })
    const bob = { conversationId: 'c', kind: 'user' as const, userId: 'bob', name: 'Bob' }
    await holdfast.participants.put('p', bob)
    rival = () => holdfast.participants.put('p', { ...bob, name: secret })
    await holdfast.eraseUser('bob')
    expect((await holdfast.participants.get('p'))?.body).toEqual({ conversationId: 'c', kind: 'user' })
  })

  it('whose words were held finds them by their participant when the hold is lifted', async () => {
    const holdfast = await place.open()
    const alice = { conversationId: 'c', kind: 'user' as const, userId: 'alice', name: 'Alice' }
    await holdfast.participants.put('p', alice)
    const session = await holdfast.sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    await session.append(user(secret, { author: 'p' }))
    await session.hold(true)
    expect(await holdfast.eraseUser('alice')).toMatchObject({ events: 0, held: [session.id] })
    expect((await holdfast.participants.get('p'))?.body).toEqual({
      conversationId: 'c',
      kind: 'user',
      userId: 'alice',
    })
    await session.hold(false)
    expect(await holdfast.eraseUser('alice')).toMatchObject({ events: 1 })
    expect(JSON.stringify(await session.events())).not.toContain(secret)
    expect((await holdfast.participants.get('p'))?.body).toEqual({ conversationId: 'c', kind: 'user' })
  })

  it('names the fork that is held, and takes what it does not read', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    await session.append(user(`read ${secret}`, { author: 'alice' }))
    const fork = await session.fork({ id: 'fork' })
    await fork.hold(true)
    await session.append(user(`unread ${secret}`, { author: 'alice' }))
    expect(await holdfast.eraseUser('alice')).toMatchObject({ events: 1, sessions: 1, held: ['fork'] })
    const left = JSON.stringify(await session.events())
    expect(left).toContain(`read ${secret}`)
    expect(left).not.toContain(`unread ${secret}`)
    await fork.hold(false)
    const again = await holdfast.eraseUser('alice')
    expect(again).toMatchObject({ events: 1 })
    expect(again.held).toBeUndefined()
    expect(JSON.stringify([await session.events(), await fork.events()])).not.toContain(secret)
  })

  it('counts the forks that went before a hold came', async () => {
    let rival: (() => Promise<unknown>) | undefined
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async deleteSession(...call) {
            const outcome = await store.deleteSession(...call)
            const racing = rival
            rival = undefined
            await racing?.()
            return outcome
          },
        }),
    })
    const session = await holdfast.sessions.create({ id: 'owned', agentId: 'agent', ownerUserId: 'alice' })
    await session.fork({ id: 'fork', ownerUserId: 'bob' })
    rival = () => session.hold(true)
    expect(await holdfast.eraseUser('alice')).toMatchObject({ deletedSessions: 1, held: ['owned'] })
    expect(await holdfast.sessions.get('fork')).toBeUndefined()
  })

  it('takes the questions that were put to them', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    const question = { questionId: 'q', question: 'Which?', options: ['a', 'b'], addressee: 'alice' }
    await session.ask(question)
    await session.answer('q', 'a')
    await session.ask({ ...question, questionId: 'open' })
    expect(await holdfast.eraseUser('alice')).toMatchObject({ sessions: 1, events: 2 })
    expect(JSON.stringify([await session.view(), await session.events()])).not.toContain('alice')
    expect((await holdfast.sessions.list({ hasQuestion: true })).sessions).toEqual([])
    await session.ask({ ...question, questionId: 'next', addressee: 'bob' })
  })

  it('keeps its receipt when the scrub is refused, and says what refused it', async () => {
    let isBusy = true
    const holdfast = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async scrub() {
            if (isBusy) throw new HoldfastError('store_busy', 'another process reads')
            return store.scrub()
          },
        }),
    })
    const { sessions } = holdfast
    for (const id of ['owned', 'deleted', 'pruned']) {
      const ownerUserId = id === 'owned' ? 'alice' : 'bob'
      await (await sessions.create({ id, agentId: 'agent', ownerUserId })).append(user('x'))
    }
    const shared = await sessions.create({ id: 'shared', agentId: 'agent', ownerUserId: 'bob' })
    const { firstSeq = 0 } = await shared.append(user('x'))
    const receipts = [
      await holdfast.eraseUser('alice'),
      await sessions.erase('shared', [firstSeq]),
      await sessions.delete('deleted', { scrub: true }),
      await holdfast.prune({ keepNewest: 0, limit: 1, scrub: true }),
    ]
    expect(receipts).toMatchObject([{ deletedSessions: 1 }, { events: 1 }, { events: 3 }, { dryRun: false }])
    for (const receipt of receipts) {
      expect(receipt).toMatchObject({ notFinal: 'store_busy' })
      expect('finalAt' in receipt).toBe(false)
    }
    await expect(holdfast.scrub()).rejects.toMatchObject({ code: 'store_busy' })
    isBusy = false
    expect(await holdfast.scrub()).toHaveProperty('finalAt')
  })
})
