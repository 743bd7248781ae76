import { expect, it } from 'vitest'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, typesOf, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 10_000 }

eachStore('the sweep', (place) => {
  it('makes a derived expiry an event, once, at the very instant', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 60 })
    place.clock.advance(59_999)
    expect((await holdfast.sweep()).expiredSessions).toBe(0)
    place.clock.advance(1)
    expect((await session.view()).status).toBe('expired')
    expect((await holdfast.sweep()).expiredSessions).toBe(1)
    expect((await holdfast.sweep()).expiredSessions).toBe(0)
    expect(typesOf((await session.events()).events)).toEqual(['session.created', 'session.expired'])
    expect((await session.view()).status).toBe('expired')
  })

  it('ends a lost run of an expired session, and leaves a live one to its worker', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 5 })
    await session.append(user('go'))
    const run = await session.startRun(lease)
    place.clock.advance(5_000)
    expect(await holdfast.sweep()).toMatchObject({ expiredSessions: 0, recoveredRuns: 0, failed: [] })
    await run.startRound()
    await run.append(assistant('still at it'))
    place.clock.advance(5_000)
    expect(await holdfast.sweep()).toMatchObject({ expiredSessions: 1, recoveredRuns: 0, failed: [] })
    expect(await session.view()).toMatchObject({ status: 'expired', run: { state: 'cancelled' } })
    await expect(run.append(assistant('late'))).rejects.toMatchObject({ code: 'stale_epoch' })
    const { events } = await session.events()
    expect(typesOf(events).filter((type) => type.startsWith('run.'))).toEqual([
      'run.started',
      'run.cancelled',
    ])
  })

  it('leaves lost runs of the agents that it is told of, and goes past them to others', async () => {
    const holdfast = await place.open()
    for (const agentId of ['theirs', 'ours']) {
      const session = await holdfast.sessions.create({ id: agentId, agentId })
      await session.append(user('go'))
      await session.startRun(lease)
    }
    place.clock.advance(20_000)
    const lostRuns = { leaveAgents: new Set(['theirs']) }
    expect((await holdfast.sweep({ lostRuns, limit: 1 })).recoveredRuns).toBe(1)
    expect((await holdfast.sessions.get('ours'))?.run).toMatchObject({ state: 'failed' })
    expect((await holdfast.sessions.get('theirs'))?.run).toMatchObject({ lost: true })
    expect(await holdfast.listTenants()).toContain(holdfast.tenantId)
  })

  it('goes past sessions that cannot be swept to those that can', async () => {
    const holdfast = await place.open()
    const held = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 1 })
    await held.append(user('go'))
    await held.startRun({ owner: 'worker', ttlMs: 600_000 })
    place.clock.advance(500)
    for (const id of ['a', 'b', 'c']) await holdfast.sessions.create({ id, agentId: 'agent', ttlSecs: 1 })
    place.clock.advance(5_000)
    for (const n of [1, 1, 1, 0]) expect((await holdfast.sweep({ limit: 1 })).expiredSessions).toBe(n)
  })

  it('leaves a run whose worker came back while it looked', async () => {
    let comeBack: (() => Promise<void>) | undefined
    const holdfast = await place.open({
      wrap: withCommit(async (commits, commit) => {
        const act = commits[0]?.lease?.type === 'release' ? comeBack : undefined
        comeBack = act ? undefined : comeBack
        await act?.()
        return commit(commits)
      }),
    })
    const session = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 5 })
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    place.clock.advance(10_000)
    comeBack = () => run.heartbeat(60_000)
    expect(await holdfast.sweep()).toMatchObject({ expiredSessions: 0, recoveredRuns: 0, failed: [] })
    await run.append(assistant('still here'))
    await run.completeRound()
    await run.complete()
    expect((await session.view()).run?.state).toBe('completed')
  })

  it('lets questions expire by their own rule', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const expiresAt = new Date(place.clock.now() + 1_000).toISOString()
    const ask = async (id: string, escalation: object) => {
      const session = await sessions.create({ id, agentId: 'agent' })
      await session.append(user('go'))
      const run = await session.startRun(lease)
      await run.ask({ questionId: 'q', question: '?', expiresAt, ...escalation })
      return session
    }
    const plain = await ask('plain', {})
    const cancels = await ask('cancels', { escalation: { onExpiry: 'cancel_run' } })
    place.clock.advance(999)
    expect((await holdfast.sweep()).expiredQuestions).toBe(0)
    place.clock.advance(1)
    await expect(plain.answer('q', 'too late')).rejects.toMatchObject({ code: 'question_not_open' })
    expect((await holdfast.sweep()).expiredQuestions).toBe(2)
    expect(await plain.view()).toMatchObject({ status: 'suspended' })
    expect((await plain.view()).openQuestion).toBeUndefined()
    expect((await cancels.view()).run).toMatchObject({ state: 'cancelled' })
    expect((await holdfast.sweep()).expiredQuestions).toBe(0)
  })

  it('run by many at once does each thing once', async () => {
    const holdfast = await place.open()
    const made = await Promise.all(
      Array.from({ length: 10 }, () => holdfast.sessions.create({ agentId: 'agent', ttlSecs: 1 })),
    )
    place.clock.advance(1_000)
    const swept = await Promise.all(Array.from({ length: 4 }, () => holdfast.sweep()))
    expect(swept.reduce((sum, { expiredSessions }) => sum + expiredSessions, 0)).toBe(10)
    for (const session of made) expect((await session.events()).events).toHaveLength(2)
  })

  it('is of its own tenant unless it is asked for all', async () => {
    const holdfast = await place.open()
    await holdfast.forTenant('other').sessions.create({ agentId: 'agent', ttlSecs: 1 })
    place.clock.advance(1_000)
    expect((await holdfast.sweep()).expiredSessions).toBe(0)
    expect((await holdfast.sweep({ everyTenant: true })).expiredSessions).toBe(1)
  })
})

eachStore('deleting', (place) => {
  it('leaves a tombstone, and spares what is pinned or at work unless forced', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ id: 'one', agentId: 'agent', pinned: true })
    await expect(sessions.delete('one')).rejects.toMatchObject({ code: 'session_pinned' })
    await session.pin(false)
    await session.append(user('go'))
    await session.startRun(lease)
    await expect(sessions.delete('one')).rejects.toMatchObject({ code: 'run_live' })
    expect(await sessions.delete('one', { force: true })).toMatchObject({ sessionIds: ['one'], events: 6 })
    expect(await sessions.get('one')).toBeUndefined()
    await expect(session.append(user('ghost'))).rejects.toMatchObject({ code: 'not_found' })
    await expect(sessions.create({ id: 'one', agentId: 'agent' })).rejects.toMatchObject({ code: 'id_taken' })
    await expect(sessions.delete('one')).rejects.toMatchObject({ code: 'not_found' })
  })
})
