/** The same request again, long after its key or its effect is gone. */
import { expect, it } from 'vitest'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

eachStore('the same request again', (place) => {
  it('resumes a thread whose continuation was deleted', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', threadId: 'thread' })
    await session.append(user('hi'))
    await session.close()
    const seen = new Set<string>()
    for (let n = 0; n < 3; n++) {
      const [one, other] = await Promise.all([
        sessions.resumeThread('thread'),
        sessions.resumeThread('thread'),
      ])
      expect(one.id).toBe(other.id)
      seen.add(one.id)
      await sessions.delete(one.id)
    }
    expect(seen.size).toBe(3)
  })

  it('spawns a child that stands already, after the keys are gone', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const first = await session.spawnChild({ agentId: 'agent', childId: 'child' })
    place.clock.advance(25 * 3_600_000)
    await holdfast.sweep()
    expect(await session.spawnChild({ agentId: 'agent', childId: 'child' })).toEqual(first)
    await holdfast.sessions.create({ id: 'stranger', agentId: 'agent' })
    await expect(session.spawnChild({ agentId: 'agent', childId: 'stranger' })).rejects.toMatchObject({
      code: 'id_taken',
    })
  })
})

eachStore('a search in a fork', (place) => {
  it('finds what its prefix says, and nothing that its source said later', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    for (let n = 0; n < 3; n++) await session.append(user(`zebra ${n}`))
    const fork = await session.fork({ title: 'giraffe' })
    await session.append(user('zebra later'))
    const again = await fork.fork({ title: 'okapi' })
    await again.append(user('zebra last'))
    const found = async (sessionId: string, limit = 50, offset = 0) =>
      holdfast.search('zebra', { sessionId, limit, offset })
    expect((await found(fork.id)).hits).toHaveLength(3)
    const { hits } = await found(again.id)
    expect(hits).toHaveLength(4)
    expect(new Set(hits.map(({ sessionId }) => sessionId))).toEqual(new Set([again.id]))
    const page = await found(again.id, 3)
    expect([...page.hits, ...(await found(again.id, 3, page.next as number)).hits]).toEqual(hits)
    expect((await holdfast.search('giraffe')).hits).toMatchObject([{ sessionId: fork.id }])
  })
})
