import { expect, it } from 'vitest'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { assistant, calling, textsOf, typesOf, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 10_000 }

eachStore('a run', (place) => {
  it('goes from its start through rounds and tools to its one end', async () => {
    const { sessions, usage } = await place.open()
    const session = await sessions.create({ agentId: 'agent', model: 'maker/model' })
    await session.append(user('weather?'))
    const run = await session.startRun(lease)
    expect(run).toMatchObject({ state: 'initializing', epoch: 1 })
    const round = await run.startRound()
    expect(round).toMatchObject({ state: 'running', roundId: expect.any(String) })
    await round.append(calling('c1'))
    await round.recordUsage({ attemptId: 'a1', promptTokens: 100, completionTokens: 20 })
    await round.recordUsage({ attemptId: 'a1', promptTokens: 100, completionTokens: 20 })
    await round.finishTool({ callId: 'c1', output: { sun: true } })
    await round.completeRound()
    const last = await round.startRound()
    await last.append(assistant('sunny'))
    await last.completeRound()
    const final = await last.finalize()
    expect(final.state).toBe('finalizing')
    expect((await final.complete()).state).toBe('completed')
    expect(await session.view()).toMatchObject({
      status: 'idle',
      model: 'model',
      providerId: 'maker',
      counters: {
        turnCount: 1,
        roundCount: 2,
        exchangeCount: 1,
        promptTokens: 100,
        completionTokens: 20,
        costUnknown: 1,
      },
    })
    expect(await usage.totals({ sessionId: session.id })).toMatchObject({
      rows: 1,
      promptTokens: 100,
      costUnknown: 1,
    })
    await expect(final.complete()).rejects.toMatchObject({ code: 'no_live_run' })
  })

  it('starts with its input and its first round in one commit, once for a key', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const commands = [
      { type: 'append', message: user('go') },
      { type: 'startRun', ...lease },
      { type: 'startRound' },
    ] as const
    const begun = await session.batchRun(commands, { key: 'k' })
    expect(begun.messages).toHaveLength(1)
    expect(begun.run).toMatchObject({ state: 'running', epoch: 1, roundId: expect.any(String) })
    const again = await session.batchRun(commands, { key: 'k' })
    expect(again).toMatchObject({ replayed: true, messages: begun.messages })
    expect(again.run).toBeUndefined()
    const { run } = await session.view()
    expect(run).toMatchObject({ state: 'running', runId: begun.run?.runId })
    expect((await session.batchRun([{ type: 'pin', pinned: true }])).run).toBeUndefined()
  })

  it('does not move the version, so a writer beside it is not disturbed', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { version } = await session.append(user('go'))
    const run = await session.startRun(lease)
    await run.startRound()
    await run.append(assistant('working'))
    expect((await session.view()).version).toBe(version)
    await session.rename('still here', { expectedVersion: version as number })
  })

  it('lets others write beside it, and none into it', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    expect((await session.append(user('more'))).messages[0]).toMatchObject({ waiting: 'enqueue' })
    await session.append(user('now'), { policy: 'steer' })
    await expect(session.append(user('no'), { policy: 'reject' })).rejects.toMatchObject({ code: 'run_live' })
    await expect(session.append(assistant('no'))).rejects.toMatchObject({ code: 'run_live' })
    await expect(session.undo()).rejects.toMatchObject({ code: 'run_live' })
    await expect(session.startRun(lease)).rejects.toMatchObject({ code: 'run_live' })
    await expect(session.close()).rejects.toMatchObject({ code: 'run_live' })
    await run.append(assistant('one'))
    const waiting = (await session.messages()).messages
    expect(textsOf(waiting)).toEqual(['go', 'one', 'more', 'now'])
    expect(waiting.map((message) => message.waiting)).toEqual([undefined, undefined, 'enqueue', 'steer'])
    await run.completeRound()
    await run.startRound()
    await run.append(assistant('two'))
    await run.completeRound()
    await run.complete()
    const { messages } = await session.messages()
    expect(textsOf(messages)).toEqual(['go', 'one', 'now', 'two', 'more'])
    expect(messages.every((message) => message.waiting === undefined)).toBe(true)
    expect(textsOf((await session.messages({ limit: 2 })).messages)).toEqual(['two', 'more'])
  })

  it('is asked to stop beside its lease, and cancelled by closing', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    expect((await session.stopRun({ reason: 'enough' })).changed).toBe(true)
    expect((await session.stopRun()).changed).toBe(false)
    expect((await session.view()).run).toMatchObject({ stopRequested: true, state: 'running' })
    await session.close({ cancel: true })
    expect(await session.view()).toMatchObject({ status: 'cancelled', run: { state: 'cancelled' } })
    await expect(run.append(assistant('late'))).rejects.toMatchObject({ code: 'stale_epoch' })
    await expect(run.heartbeat(1_000)).rejects.toMatchObject({ code: 'stale_epoch' })
  })

  it('suspends on a question and goes on under a new epoch after its answer', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('deploy'))
    const run = await (await session.startRun(lease)).startRound()
    const asked = await run.ask({
      questionId: 'q1',
      question: 'Really?',
      options: ['yes', 'no'],
      allowCustom: false,
    })
    expect(asked).toMatchObject({ state: 'suspended', questionId: 'q1' })
    expect(await session.view()).toMatchObject({ status: 'suspended', openQuestion: { questionId: 'q1' } })
    expect((await sessions.list({ hasQuestion: true })).sessions.map(({ id }) => id)).toEqual([session.id])
    await expect(session.answer('q1', 'maybe')).rejects.toMatchObject({ code: 'invalid_answer' })
    await expect(asked.resume(lease)).rejects.toMatchObject({ code: 'question_open' })
    await session.answer('q1', 'yes')
    await expect(session.answer('q1', 'yes')).rejects.toMatchObject({ code: 'question_not_open' })
    const resumed = await asked.resume(lease)
    expect(resumed).toMatchObject({ state: 'running', epoch: 2 })
    await resumed.append(assistant('deployed'))
  })

  it('ends as failed or cancelled, also while suspended', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const first = await session.startRun(lease)
    expect((await first.fail('boom', 'tool')).state).toBe('failed')
    const second = await session.startRun(lease)
    const suspended = await second.suspend('approval')
    expect((await suspended.cancel('no')).state).toBe('cancelled')
    expect((await session.view()).run).toMatchObject({ state: 'cancelled' })
    const third = await session.startRun(lease)
    expect(third.epoch).toBe(3)
  })

  it('is written whole in one commit when it is over already', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    await session.batch([
      { type: 'startRun', owner: 'import', ttlMs: 1, recorded: true, runId: 'r1' },
      { type: 'startRound' },
      { type: 'append', message: assistant('done') },
      { type: 'completeRound' },
      { type: 'completeRun' },
    ])
    expect(await session.view()).toMatchObject({
      status: 'idle',
      counters: { turnCount: 1, exchangeCount: 1 },
    })
    const { events } = await session.events()
    expect(events.filter(({ runId }) => runId === 'r1').length).toBeGreaterThan(4)
    const unfinished = session.batch([{ type: 'startRun', owner: 'import', ttlMs: 1, recorded: true }])
    await expect(unfinished).rejects.toMatchObject({ code: 'invalid_input' })
  })

  it('takes its lease and works in one commit', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.batch([
      { type: 'append', message: user('go') },
      { type: 'startRun', ...lease },
      { type: 'startRound' },
    ])
    const run = await session.joinRun(1)
    expect(run.state).toBe('running')
    await run.append(assistant('here'))
    await expect((await session.joinRun(7)).append(assistant('not mine'))).rejects.toMatchObject({
      code: 'stale_epoch',
    })
  })

  it('is written once under a key, whose answer says where the run stood then', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('go'))
    const { epoch } = await session.startRun(lease)
    const active = sessions.at(session.id)
    const begun = await active.writeRun(epoch, [{ type: 'startRound' }], { key: 'a' })
    const commands = [{ type: 'completeRound' }, { type: 'completeRun' }] as const
    const ended = await active.writeRun(epoch, commands, { key: 'b' })
    expect([begun.state, ended.state, ended.epoch]).toEqual(['running', 'completed', 1])
    expect(await active.writeRun(epoch, [{ type: 'startRound' }], { key: 'a' })).toEqual({
      ...begun,
      replayed: true,
    })
    expect(await active.writeRun(epoch, commands, { key: 'b' })).toEqual({ ...ended, replayed: true })
    await expect(active.writeRun(epoch, commands)).rejects.toMatchObject({ code: 'no_live_run' })
  })

  it('spawns children with a part of its budget, and the tree reads in one call', async () => {
    const { sessions } = await place.open()
    const session = await (
      await sessions.create({ agentId: 'agent', budget: { spend: { tokens: 1_000 } } })
    ).activate()
    await session.append(user('go'))
    const run = await (await session.startRun(lease)).startRound()
    const grant = { tokens: 400 }
    const { childId } = await run.spawnChild({ agentId: 'helper', grant, childId: 'child' })
    expect(await run.spawnChild({ agentId: 'helper', grant, childId: 'child' })).toMatchObject({ childId })
    await expect(run.spawnChild({ agentId: 'helper', grant: { tokens: 601 } })).rejects.toMatchObject({
      code: 'budget_exceeded',
    })
    expect(await sessions.get(childId)).toMatchObject({
      lineage: 'child',
      parentSessionId: session.id,
      rootSessionId: session.id,
      spawnDepth: 1,
      budget: { spend: grant },
    })
    expect(await sessions.tree(session.id)).toMatchObject({
      session: { id: session.id, openChildren: 1 },
      children: [{ session: { id: childId }, children: [] }],
    })
    const ended = {
      childId,
      outcome: 'completed' as const,
      spent: { tokens: 10, costMicrocents: 0, toolCalls: 0 },
    }
    expect((await run.batch([{ type: 'finishChild', ...ended }])).changed).toBe(true)
    expect((await session.finishChild(ended)).changed).toBe(false)
    await session.close({ cancel: true })
    expect((await sessions.delete(session.id)).sessionIds.sort()).toEqual(['child', session.id].sort())
  })
})

eachSharedStore('a lease', (place) => {
  it('is kept by heartbeats, lost without them, and never taken from a live worker', async () => {
    const [a, b] = [await place.open(), await place.open()]
    const session = await (await a.sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await session.startRun(lease)
    const theirs = await b.sessions.open(session.id)
    if (theirs.lifecycle !== 'active') throw new Error('not active')
    await expect(theirs.takeOverRun({ owner: 'b', ttlMs: 1_000 })).rejects.toMatchObject({
      code: 'lease_held',
    })
    place.clock.advance(9_999)
    await run.heartbeat(10_000)
    place.clock.advance(9_999)
    await expect(theirs.takeOverRun({ owner: 'b', ttlMs: 1_000 })).rejects.toMatchObject({
      code: 'lease_held',
    })
    expect((await session.view()).run).toMatchObject({ lost: false, owner: 'worker' })
    place.clock.advance(1)
    const taken = await theirs.takeOverRun({ owner: 'b', ttlMs: 1_000 })
    expect(taken.epoch).toBe(run.epoch + 1)
    // The worker that lost it wakes up: nothing of it is written.
    await expect(run.heartbeat(10_000)).rejects.toMatchObject({ code: 'stale_epoch' })
    await expect(run.append(assistant('ghost'))).rejects.toMatchObject({ code: 'stale_epoch' })
    await expect(run.complete()).rejects.toMatchObject({ code: 'stale_epoch' })
    const { events } = await session.events()
    expect(typesOf(events).filter((type) => type.startsWith('lease.'))).toEqual([
      'lease.taken',
      'lease.lost',
      'lease.taken',
    ])
  })

  it('lost is taken by one of many', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => place.open()))
    const session = await (await (all[0] as (typeof all)[0]).sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    await session.startRun(lease)
    place.clock.advance(10_000)
    const taking = all.map(async ({ sessions }, n) => {
      const own = await sessions.open(session.id)
      return own.lifecycle === 'active' ? own.takeOverRun({ owner: `w${n}`, ttlMs: 1_000 }) : undefined
    })
    const results = await Promise.allSettled(taking)
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
