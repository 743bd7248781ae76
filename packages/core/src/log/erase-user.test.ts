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
})
