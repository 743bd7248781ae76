import { expect, it } from 'vitest'
import { damageOf } from './testing/damage.ts'
import { eachSharedStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

eachSharedStore('a damaged head', (place) => {
  it('hides no other session, is named by lists, and does not stop what walks over all of them', async () => {
    const holdfast = await place.open()
    if (place.path === undefined) return
    const root = await holdfast.sessions.create({
      id: 'root',
      agentId: 'agent',
      threadId: 'thread',
      title: 'true',
    })
    await root.append(user('hi'))
    await root.spawnChild({ agentId: 'agent', childId: 'child' })
    await holdfast.sessions.create({ id: 'bad', agentId: 'agent', threadId: 'thread', title: 'true' })
    const damaged = ['child', 'bad']
    const damages = [
      `UPDATE sessions SET head = replace(head, '"true"', '"false"') WHERE id = 'bad' RETURNING id`,
      `UPDATE sessions SET head = substr(head, 1, 20) WHERE id IN ('bad', 'child') RETURNING id`,
    ]
    for (const damage of damages) {
      place.look(damage)
      const page = await holdfast.sessions.list()
      expect(page.damaged).toContain('bad')
      expect(page.sessions.map(({ id }) => id)).toContain('root')
      expect(page.sessions.map(({ id }) => id)).not.toContain('bad')
      expect((await holdfast.sessions.resumeThread('thread')).id).toBe('root')
    }
    expect((await holdfast.sessions.tree('root')).session.id).toBe('root')
    expect(await holdfast.prune({ keepNewest: 0, dryRun: true })).toMatchObject({ damaged })
    expect(await holdfast.eraseUser('nobody')).toMatchObject({ damaged })
    expect((await holdfast.sessions.list()).damaged).toEqual(damaged)
  })
})

eachSharedStore('an index that leads to a session of another value', (place) => {
  it.each([
    ['agent', "agent = 'other'", { agentId: 'other' }],
    ['owner', "owner = 'mallory'", { ownerUserId: 'mallory' }],
    ['thread', "thread = 'other'", { threadId: 'other' }],
    ['activity', 'activity = activity - 5', {}],
    ['creation', 'created = created - 5', { rootSessionId: 'one' }],
  ])('is damage: %s', async (_, change, filters) => {
    const holdfast = await place.open()
    await holdfast.sessions.create({ id: 'one', agentId: 'agent', ownerUserId: 'alice' })
    if (!place.behind) return
    expect(await holdfast.sessions.list()).toMatchObject({ sessions: [{ id: 'one' }] })
    await place.behind(`UPDATE ${place.dialect === 'postgres' ? '@listings' : 'sessions'} SET ${change}`)
    expect(await holdfast.sessions.list(filters)).toEqual({ sessions: [], damaged: ['one'] })
  })
})

eachSharedStore('a head that cannot be read', (place) => {
  it('of a newer version stops no list, no pruning and no erasure', async () => {
    const { sessions, ...holdfast } = await openWith(['new', 'other', 'hers'])
    const damage = damageOf(place)
    if (!damage) return
    await damage.newerHead('new')
    const page = await sessions.list()
    expect(page.damaged).toEqual(['new'])
    expect(page.sessions.map(({ id }) => id).sort()).toEqual(['hers', 'other'])
    const receipt = await holdfast.eraseUser('hers')
    expect(receipt).toMatchObject({ deletedSessions: 1, damaged: ['new'], notFinal: 'store_corrupt' })
    expect('finalAt' in receipt).toBe(false)
    expect(await holdfast.prune({ keepNewest: 0 })).toMatchObject({ sessionIds: ['other'], damaged: ['new'] })
  })

  it('spares what would be pruned with it, and nothing else', async () => {
    const { sessions, ...holdfast } = await openWith(['source', 'root', 'lone', 'kids-root', 'free'])
    const damage = damageOf(place)
    if (!damage) return
    for (const id of ['source', 'lone']) {
      const source = await sessions.open(id)
      await source.fork({ id: `${id}-fork` }).then((fork) => fork.append(user('more')))
    }
    for (const id of ['root', 'kids-root']) {
      const root = await sessions.open(id)
      if (root.lifecycle !== 'active') throw new Error('not active')
      await root.spawnChild({ agentId: 'agent', childId: `${id}-kid` })
    }
    for (const id of ['source-fork', 'root-kid', 'lone', 'kids-root']) await damage.head(id)
    place.clock.advance(60_000)
    const would = await holdfast.prune({ olderThanMs: 10_000, dryRun: true })
    const pruned = await holdfast.prune({ olderThanMs: 10_000 })
    expect(pruned.sessionIds.sort()).toEqual(['free', 'lone-fork'])
    expect(would.sessionIds.sort()).toEqual(pruned.sessionIds)
    for (const { kept, damaged } of [would, pruned]) {
      expect(damaged?.toSorted()).toEqual(['kids-root', 'lone', 'root-kid', 'source-fork'])
      expect(kept.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))).toEqual([
        { sessionId: 'root', reason: 'damaged' },
        { sessionId: 'source', reason: 'damaged' },
      ])
    }
  })

  it('may be that of a held session, so neither it nor what leads to it is deleted unless asked for', async () => {
    const { sessions } = await openWith(['root'])
    const damage = damageOf(place)
    if (!damage) return
    const root = await sessions.open('root')
    if (root.lifecycle !== 'active') throw new Error('not active')
    await root.spawnChild({ agentId: 'agent', childId: 'kid' })
    await root.spawnChild({ agentId: 'agent', childId: 'sound' })
    await root.fork({ id: 'fork' })
    for (const id of ['kid', 'fork']) await damage.head(id)
    const all = { force: true, cascade: true }
    for (const id of ['kid', 'fork', 'root']) {
      await expect(sessions.delete(id, all)).rejects.toMatchObject({ code: 'store_corrupt' })
    }
    expect((await sessions.delete('sound', all)).sessionIds).toEqual(['sound'])
    const { sessionIds } = await sessions.delete('root', { ...all, damaged: true })
    expect(sessionIds.sort()).toEqual(['fork', 'kid', 'root'])
    expect(await sessions.list()).toEqual({ sessions: [] })
  })

  it('can be deleted when its events are damaged too', async () => {
    const { sessions } = await openWith(['bad'])
    const damage = damageOf(place)
    if (!damage) return
    await damage.head('bad')
    await damage.events('bad', 'hello')
    expect((await sessions.delete('bad', { damaged: true })).sessionIds).toEqual(['bad'])
    expect(await sessions.get('bad')).toBeUndefined()
  })

  it('keeps what its fork reads from the erasure of a person, and of nobody else', async () => {
    const { sessions, ...holdfast } = await openWith(['shared', 'hers', 'other'])
    const damage = damageOf(place)
    if (!damage) return
    const shared = await sessions.open('shared')
    if (shared.lifecycle !== 'active') throw new Error('not active')
    const before = await shared.append(user('before', { author: 'hers' }))
    await shared.fork({ id: 'fork' })
    const after = await shared.append(user('after', { author: 'hers' }))
    await damage.head('fork')
    await expect(sessions.erase('shared', [before.firstSeq ?? 0])).rejects.toMatchObject({
      code: 'store_corrupt',
      details: { sessionId: 'fork' },
    })
    const receipt = await holdfast.eraseUser('hers')
    expect(receipt).toMatchObject({ deletedSessions: 1, sessions: 1, events: 4, damaged: ['fork'] })
    const { events } = await shared.events()
    const text = (seq = 0) => JSON.stringify(events.find((event) => event.seq === seq))
    expect(text(before.firstSeq)).toContain('before')
    expect(text(after.firstSeq)).not.toContain('after')
    await sessions.delete('fork', { damaged: true })
    expect(await holdfast.eraseUser('hers')).toMatchObject({ sessions: 1, events: 1 })
  })

  it('of a damaged log stops the erasure of no other', async () => {
    const { sessions, ...holdfast } = await openWith(['bad', 'hers'])
    const damage = damageOf(place)
    if (!damage) return
    await damage.events('bad', 'hello')
    const receipt = await holdfast.eraseUser('hers')
    expect(receipt).toMatchObject({ deletedSessions: 1, damaged: ['bad'], notFinal: 'store_corrupt' })
    expect(await sessions.get('hers')).toBeUndefined()
    expect(await holdfast.eraseUser('hers')).toMatchObject({ deletedSessions: 0, damaged: ['bad'] })
  })

  /** Each owned by a user of its own name. */
  async function openWith(ids: readonly string[]) {
    const holdfast = await place.open()
    for (const id of ids) {
      const session = await holdfast.sessions.create({ id, agentId: 'agent', ownerUserId: id })
      await session.append(user('hello'))
    }
    return {
      sessions: holdfast.sessions,
      eraseUser: (userId: string) => holdfast.eraseUser(userId),
      prune: (options: Parameters<typeof holdfast.prune>[0]) => holdfast.prune(options),
    }
  }
})
