import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { withCommit } from './testing/between.ts'
import { eachStore } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, typesOf, user } from './testing/messages.ts'

eachStore('a fork', (place) => {
  it('reads its source’s prefix and goes its own way; the source is not touched', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent', ownerUserId: 'alice', title: 'Source' })
    await source.append([user('one'), assistant('two'), user('three'), assistant('four')])
    const fork = await source.fork({ title: 'Other way' }, { atSeq: 4 })
    await fork.append([user('else')])
    expect(textsOf((await fork.messages()).messages)).toEqual(['one', 'two', 'else'])
    expect(textsOf((await source.messages()).messages)).toEqual(['one', 'two', 'three', 'four'])
    expect(await fork.view()).toMatchObject({
      title: 'Other way',
      forkedFrom: { sessionId: source.id, seq: 4 },
      ownerUserId: 'alice',
      status: 'idle',
      counters: { messageCount: 3, exchangeCount: 1, promptTokens: 0 },
    })
    expect(typesOf((await fork.events()).events)).toEqual([
      'session.created',
      'session.activated',
      'message.appended',
      'message.appended',
      'session.forked',
      'session.activated',
      'message.appended',
    ])
    expect(await fork.compare(source)).toMatchObject({
      commonSeq: 4,
      ours: { through: 7, messages: [{ seq: 7 }] },
      theirs: { through: 6, messages: [{ seq: 5 }, { seq: 6 }] },
    })
  })

  it('is refused between a call and its result, naming a legal place', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    await source.append([user('look'), calling('a'), result('a'), assistant('done')])
    await expect(source.fork({}, { atSeq: 5 })).rejects.toMatchObject({
      code: 'fork_inside_round',
      details: { before: 3 },
    })
    await source.fork({}, { atSeq: 3 })
    await source.fork({}, { atSeq: 6 })
    await expect(source.fork({}, { atSeq: 8 })).rejects.toMatchObject({ code: 'not_on_path' })
  })

  it('of a fork of a fork reads through all of them, and there is a bound', async () => {
    const { sessions } = await place.open()
    let session = await sessions.create({ agentId: 'agent' })
    for (let n = 0; n < limits.forkSegments; n++) {
      await session.append(user(`${n}`))
      session = await session.fork()
    }
    const { messages } = await session.messages({ limit: 100 })
    expect(textsOf(messages)).toEqual(Array.from({ length: limits.forkSegments }, (_, n) => `${n}`))
    await session.append(user('x'))
    await expect(session.fork()).rejects.toMatchObject({ code: 'fork_too_deep' })
    const back = await session.fork({}, { atSeq: 3 })
    expect(textsOf((await back.messages()).messages)).toEqual(['0'])
  })

  it('made twice with one key is one fork', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    await source.append(user('x'))
    const [a, b] = await Promise.all([source.fork({}, { key: 'k' }), source.fork({}, { key: 'k' })])
    expect(a.id).toBe(b.id)
    const named = await source.fork({ id: 'named' })
    expect((await source.fork({ id: 'named' })).id).toBe(named.id)
    await expect(source.fork({ id: 'named', title: 'x' })).rejects.toMatchObject({ code: 'id_taken' })
  })

  it('holds its source: deleting that needs cascade', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    await source.append(user('x'))
    const fork = await source.fork()
    await expect(sessions.delete(source.id)).rejects.toMatchObject({
      code: 'has_forks',
      details: { forks: [fork.id] },
    })
    expect((await sessions.delete(source.id, { cascade: true })).sessionIds.sort()).toEqual(
      [source.id, fork.id].sort(),
    )
    expect(await sessions.get(fork.id)).toBeUndefined()
  })

  it('is judged like its source when both are to go, and takes its children along', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    await source.append(user('x'))
    const fork = await source.fork()
    await fork.pin(true)
    const child = await fork.spawnChild({ agentId: 'agent' })
    const further = await (await sessions.open(child.childId)).fork()
    await expect(sessions.delete(source.id, { cascade: true })).rejects.toMatchObject({
      code: 'session_pinned',
    })
    const ids = [source.id, fork.id, child.childId, further.id]
    for (const id of ids) expect(await sessions.get(id)).toBeDefined()
    await fork.pin(false)
    const deleted = await sessions.delete(source.id, { cascade: true })
    expect(deleted.sessionIds.toSorted()).toEqual(ids.toSorted())
  })

  it('within its source’s own prefix is still the source’s: only messages and parts are of then', async () => {
    const { sessions } = await place.open()
    const first = await sessions.create({
      agentId: 'a',
      ownerUserId: 'alice',
      conversationId: 'c',
      ttlSecs: 9,
    })
    await first.append([user('1'), assistant('2'), calling('call'), result('call')])
    const second = await first.fork({
      ownerUserId: 'bob',
      conversationId: 'd',
      agentId: 'b',
      title: 'second',
      ttlSecs: null,
    })
    const fork = await second.fork({}, { atSeq: 4 })
    expect(await fork.view()).toMatchObject({
      ownerUserId: 'bob',
      conversationId: 'd',
      agentId: 'b',
      title: 'second',
      forkedFrom: { sessionId: second.id, seq: 4 },
      counters: { messageCount: 2 },
    })
    expect((await fork.view()).ttlSecs).toBeUndefined()
    expect((await fork.view()).userParticipantId).toBe('bob')
    await expect(second.fork({}, { atSeq: 5 })).rejects.toThrow(second.id)
  })

  it('that races an erasure by another process has nothing of what went', async () => {
    if (place.path === undefined) return
    const other = await place.open()
    let rival: (() => Promise<unknown>) | undefined
    const wrap = withCommit(async (commits, commit) => {
      const racing = commits[0]?.segments ? rival : undefined
      if (racing) rival = undefined
      await racing?.()
      return commit(commits)
    })
    const { sessions } = await place.open({ wrap })
    const source = await sessions.create({ agentId: 'agent' })
    const { firstSeq } = await source.patchMetadata({ name: 'Ada' })
    await source.append(user('hi'))
    rival = () => other.sessions.erase(source.id, [firstSeq as number])
    expect((await (await source.fork()).view()).metadata).not.toMatchObject({ name: 'Ada' })
  })

  it('does not take over a title that was made from the content', async () => {
    const { sessions } = await place.open()
    const source = await sessions.create({ agentId: 'agent' })
    await source.append(user('x'))
    await source.rename('about x', { automatic: true })
    expect((await (await source.fork()).view()).title).toBeUndefined()
    await source.rename('chosen')
    expect((await (await source.fork()).view()).title).toBe('chosen')
  })
})

eachStore('the state as it was', (place) => {
  it('is found beyond kept heads, through undo, truncate, edit and forks', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    for (let n = 0; n < 24; n++) {
      const turns = Array.from({ length: 50 }, (_, i) => [
        user(`u${n * 50 + i}`),
        assistant(`a${n * 50 + i}`),
      ])
      await session.append(turns.flat())
      await session.patchMetadata({ n })
    }
    expect((await session.view()).counters).toMatchObject({ messageCount: 2_400, exchangeCount: 1_200 })
    const fork = await (await session.fork({}, { atSeq: 1_500 })).activate()
    const forked = await fork.view()
    expect(forked.counters.messageCount).toBe(1_500 - 2 - Math.floor((1_500 - 2) / 101))
    expect(forked.metadata).toEqual({ n: Math.floor((1_500 - 2) / 101) - 1 })
    await fork.undo()
    // It ends on a user message, which undo drops alone, or on an answer, which goes with its question.
    const [last] = (await fork.messages({ limit: 1 })).messages
    expect(last?.role).toBe('assistant')
    expect((await fork.view()).counters.messageCount).toBeLessThan(forked.counters.messageCount)
    await fork.redo()
    expect((await fork.view()).counters).toMatchObject({ messageCount: forked.counters.messageCount })

    await session.truncate(1_204)
    const cut = await session.view()
    await session.append([user('new'), assistant('way')])
    expect((await session.view()).counters.messageCount).toBe(cut.counters.messageCount + 2)
    const { messages, older } = await session.messages({ limit: 4 })
    expect(textsOf(messages).slice(-2)).toEqual(['new', 'way'])
    expect(older).toBeDefined()
    const first = messages[2] as { id: string }
    await session.edit(first.id, user('newer'))
    expect(textsOf((await session.messages({ limit: 1 })).messages)).toEqual(['newer'])
    await session.undo()
    expect((await session.view()).counters).toEqual(cut.counters)
    await session.redo()
    expect((await session.view()).counters.messageCount).toBe(cut.counters.messageCount + 1)
  })
})

eachStore('resuming a thread', (place) => {
  it('gives its newest open session, else one fork of its newest ended one', async () => {
    const { sessions } = await place.open()
    const first = await sessions.create({ agentId: 'agent', conversationId: 'talk' })
    await first.append([user('my name is Ada'), assistant('hello Ada')])
    expect((await sessions.resumeThread('talk')).id).toBe(first.id)
    await first.close()
    place.clock.advance(1_000)
    const [a, b] = await Promise.all([sessions.resumeThread('talk'), sessions.resumeThread('talk')])
    expect(a.id).toBe(b.id)
    expect(a.lifecycle).toBe('created')
    expect(textsOf((await a.messages()).messages)).toEqual(['my name is Ada', 'hello Ada'])
    expect((await sessions.resumeThread('talk')).id).toBe(a.id)
    await expect(sessions.resumeThread('nowhere')).rejects.toMatchObject({ code: 'not_found' })
  })
})
