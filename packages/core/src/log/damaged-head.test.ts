import { expect, it } from 'vitest'
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
