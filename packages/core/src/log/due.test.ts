import { expect, it } from 'vitest'
import { eachStore } from './testing/each-store.ts'
import { assistant, calling, textsOf, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 10_000 }

eachStore('a session that somebody is wanted to work on', (place) => {
  const opened = async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    return { sessions, session }
  }

  it('is one whose question was answered, and no more once its run goes on', async () => {
    const { sessions, session } = await opened()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    const asked = await run.ask({ questionId: 'q', question: 'Really?' })
    expect(await sessions.listDue()).toEqual([])
    await session.answer('q', 'yes')
    expect(await sessions.listDue()).toEqual([session.id])
    expect((await session.view()).status).toBe('suspended')
    await asked.resume(lease)
    expect(await sessions.listDue()).toEqual([])
  })

  it('is one whose question was withdrawn or expired', async () => {
    const { sessions, session } = await opened()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    const asked = await run.ask({ questionId: 'q1', question: 'Really?' })
    await session.withdrawQuestion('q1')
    expect(await sessions.listDue()).toEqual([session.id])
    const again = await asked.resume(lease)
    const expiresAt = new Date(place.clock.now() + 5_000).toISOString()
    await again.ask({ questionId: 'q2', question: 'Sure?', expiresAt })
    place.clock.advance(5_000)
    expect(await sessions.listDue()).toEqual([])
  })

  it('is one whose run was left by its process, or is lost', async () => {
    const { sessions, session } = await opened()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    const left = await run.suspend('shutdown')
    expect(await sessions.listDue()).toEqual([session.id])
    await left.resume(lease)
    place.clock.advance(9_999)
    expect(await sessions.listDue()).toEqual([])
    place.clock.advance(1)
    expect(await sessions.listDue()).toEqual([session.id])
  })

  it('is one with input that came during a run, once that has ended, and with input that says so', async () => {
    const { sessions, session } = await opened()
    await session.append(user('first'))
    expect(await sessions.listDue()).toEqual([])
    const run = await session.startRun(lease)
    await session.append(user('second'))
    await run.complete()
    expect(await sessions.listDue()).toEqual([session.id])
    await (await session.startRun({ ...lease, ifDue: true })).complete()
    expect(await sessions.listDue()).toEqual([])
    await expect(session.startRun({ ...lease, ifDue: true })).rejects.toMatchObject({
      code: 'illegal_transition',
    })
    await session.batch([{ type: 'append', message: user('third'), due: true }])
    expect(await sessions.listDue()).toEqual([session.id])
    await session.close()
    expect(await sessions.listDue()).toEqual([])
  })

  it('is one that waited for its child', async () => {
    const { sessions, session } = await opened()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    await run.spawnChild({ agentId: 'helper', childId: 'child' })
    const waiting = await run.suspend('children', 'all')
    expect(await sessions.listDue()).toEqual([])
    const spent = { tokens: 1, costMicrocents: 0, toolCalls: 0 }
    await session.finishChild({ childId: 'child', outcome: 'completed', spent })
    expect(await sessions.listDue()).toEqual([session.id])
    const again = await waiting.resume(lease)
    expect(await sessions.listDue({ limit: 1 })).toEqual([])
    // Of what the child of a run does nobody is told while it works: it looks for itself.
    await again.spawnChild({ agentId: 'helper', childId: 'quick' })
    await session.finishChild({ childId: 'quick', outcome: 'completed', spent })
    await again.suspend('children', 'all')
    expect(await sessions.listDue()).toEqual([session.id])
  })

  it('is a child whose run has ended, until its parent knows', async () => {
    const { sessions, session } = await opened()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    await run.spawnChild({ agentId: 'helper', childId: 'child' })
    await run.suspend('children', 'all')
    const child = sessions.at('child')
    expect(await child.endChild()).toBe(false)
    await child.batch([{ type: 'append', message: user('do it'), due: true }])
    const own = await (await child.startRun({ ...lease, ifDue: true })).startRound()
    await own.recordUsage({ attemptId: 'a', promptTokens: 7, completionTokens: 3 })
    await own.append(calling('c'))
    await own.finishTool({ callId: 'c', output: 'seen' })
    await own.completeRound()
    await own.complete()
    expect(await sessions.listDue()).toEqual(['child'])
    // Who saw it at work before, and looks at what is due, must not do its task again.
    await expect(child.startRun({ ...lease, ifDue: true })).rejects.toMatchObject({
      code: 'illegal_transition',
    })
    expect(await child.endChild({ result: 'done' })).toBe(true)
    expect(await sessions.listDue()).toEqual([session.id])
    expect(await child.endChild({ result: 'done' })).toBe(true)
    expect((await sessions.get('child'))?.status).toBe('completed')
    const told = (await session.events()).events.filter(({ type }) => type === 'child.finished')
    expect(told.map(({ data }) => data)).toEqual([
      {
        childId: 'child',
        outcome: 'completed',
        spent: { tokens: 10, costMicrocents: 0, toolCalls: 1 },
        result: 'done',
      },
    ])
  })

  it('is left to others by a sweep that is told so', async () => {
    const { sessions, session } = await opened()
    const holdfast = await place.open()
    await session.append(user('go'))
    await session.startRun(lease)
    place.clock.advance(10_000)
    expect((await holdfast.sweep({ lostRuns: 'leave' })).recoveredRuns).toBe(0)
    expect((await session.view()).status).toBe('unknown')
    expect((await sessions.recover(session.id)).recovered).toBe(true)
  })
})

eachStore('a run that was taken over', (place) => {
  it('keeps the text that its lost worker wrote, and closes only the calls that it names', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const lost = await (await session.startRun(lease)).startRound()
    const draft = lost.draft()
    draft.write('so far')
    await draft.flush()
    place.clock.advance(10_000)
    const run = await session.takeOverRun(lease)
    expect((await run.keepDraft()).messages).toHaveLength(1)
    expect((await run.keepDraft()).changed).toBe(false)
    const { messages } = await session.messages()
    expect(textsOf(messages)).toEqual(['go', 'so far'])
    expect(messages[1]).toMatchObject({ finish: 'interrupted' })
    await run.append(calling('a', 'b'))
    await run.batch([{ type: 'closeCalls', reason: 'recovery', callIds: ['b', 'z'] }])
    const results = (await session.events()).events.filter(({ type }) => type === 'tool.finished')
    expect(results.map(({ data }) => data)).toMatchObject([{ callId: 'b', synthetic: true }])
    await run.finishTool({ callId: 'a', output: assistant('x').role })
    await run.batch([{ type: 'completeRound' }])
  })
})
