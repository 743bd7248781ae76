import { isKnown } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { HostCommand } from './check-command.ts'
import { eachStore } from './testing/each-store.ts'
import { gather } from './testing/gather.ts'
import { assistant, calling, result, textsOf, typesOf, user } from './testing/messages.ts'

eachStore('writing', (place) => {
  it('goes back to a place inside itself, in one batch', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('before'))
    const { seq } = await session.view()
    await session.batch([
      { type: 'append', message: user('kept') },
      { type: 'append', message: user('cut off') },
      { type: 'truncate', seq: seq + 1 },
      { type: 'append', message: user('after') },
    ])
    expect(textsOf((await session.messages()).messages)).toEqual(['before', 'kept', 'after'])
    expect((await session.view()).counters).toMatchObject({ messageCount: 3 })
  })

  it('edits, cuts and takes back again and again in one batch as one by one', async () => {
    const { sessions } = await place.open()
    const commands = (seq: number): HostCommand[] => [
      { type: 'append', message: { ...user('first'), id: 'm1' } },
      { type: 'append', message: { ...user('second'), id: 'm2' } },
      { type: 'edit', messageId: 'm2', message: user('second, edited') },
      { type: 'undo' },
      { type: 'append', message: { ...user('third'), id: 'm3' } },
      { type: 'truncate', seq: seq + 1 },
      // Changes a part that is read only now, and is then folded again with the others.
      { type: 'updateTask', update: { itemId: 't', status: 'in_progress' } },
      { type: 'append', message: { ...user('fourth'), id: 'm4' } },
      { type: 'edit', messageId: 'm4', message: user('fourth, edited') },
      { type: 'truncate', seq: seq + 1 },
    ]
    const found = []
    for (const way of ['batch', 'each'] as const) {
      const session = await sessions.create({ agentId: 'agent' })
      await session.append(user('before'))
      await session.setTasks({ items: [{ id: 't', description: 'do it' }] })
      const given = commands((await session.view()).seq)
      if (way === 'batch') await session.batch(given)
      else for (const command of given) await session.batch([command])
      const { counters, seq } = await session.view()
      const { status } = await session.updateTask({ itemId: 't' })
      found.push([textsOf((await session.messages()).messages), counters, seq, status])
    }
    expect(found[0]).toEqual(found[1])
    expect([found[0]?.[0], found[0]?.[3]]).toEqual([['before', 'first'], 'in_progress'])
  })

  it('keeps the trace that it is a part of on its events, and takes nothing else for one', async () => {
    const { sessions } = await place.open()
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const session = await sessions.create({ agentId: 'agent' }, { traceId })
    await session.append(user('x'))
    const { events } = await session.events()
    expect(events.map((event) => event.traceId)).toEqual([traceId, undefined, undefined])
    for (const wrong of ['', '0'.repeat(32), traceId.toUpperCase(), `${traceId}0`])
      await expect(session.append(user('x'), { traceId: wrong })).rejects.toMatchObject({
        code: 'invalid_input',
      })
  })

  it('creates, appends and reads back', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', ownerUserId: 'alice', title: 'Hello' })
    const appended = await session.append([user('hi'), assistant('hello')])
    expect(appended).toMatchObject({ changed: true, firstSeq: 2, lastSeq: 4, version: 4, replayed: false })
    expect(appended.messages).toEqual([
      { id: '3', seq: 3 },
      { id: '4', seq: 4 },
    ])
    const { events, more } = await session.events()
    expect(typesOf(events)).toEqual([
      'session.created',
      'session.activated',
      'message.appended',
      'message.appended',
    ])
    expect(more).toBe(false)
    expect(await session.view()).toMatchObject({
      title: 'Hello',
      status: 'idle',
      seq: 4,
      version: 4,
      ownerUserId: 'alice',
      agentName: 'agent',
      counters: { messageCount: 2, exchangeCount: 1 },
    })
    expect(textsOf((await session.messages()).messages)).toEqual(['hi', 'hello'])
  })

  it('writes a batch whole, or nothing of it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const batch = session.batch([
      { type: 'append', message: user('one', { id: 'm1' }) },
      { type: 'pin', pinned: true },
      { type: 'append', message: user('two', { id: 'm1' }) },
    ])
    await expect(batch).rejects.toMatchObject({ code: 'duplicate_id' })
    expect((await session.view()).seq).toBe(1)
    await session.batch([
      { type: 'append', message: user('one', { id: 'm1' }) },
      { type: 'append', message: assistant('two', { replyTo: 'm1' }) },
      { type: 'rename', title: 'Named', automatic: false },
    ])
    expect(await session.view()).toMatchObject({ seq: 5, title: 'Named', counters: { exchangeCount: 1 } })
  })

  it('refuses a stale expected version and writes nothing', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const { version } = await session.append(user('one'))
    await session.rename('moved')
    await expect(session.append(user('two'), { expectedVersion: version as number })).rejects.toMatchObject({
      code: 'version_conflict',
      details: { version: 4, expectedVersion: 3 },
    })
    await session.append(user('two'), { expectedVersion: 4 })
    expect((await session.view()).seq).toBe(5)
  })

  it('says when there was nothing to change', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.pin(true)
    expect(await session.pin(true)).toEqual({ changed: false, replayed: false })
    const [first, second] = await Promise.all([session.pin(false), session.pin(false)])
    expect([first?.changed, second?.changed]).toEqual([true, false])
  })

  it('answers a missing session, a foreign one and a malformed id alike', async () => {
    const holdfast = await place.open()
    const other = holdfast.forTenant('other')
    const { id } = await holdfast.sessions.create({ agentId: 'agent' })
    for (const sessions of [other.sessions, holdfast.sessions]) {
      const foreign = sessions === other.sessions ? id : 'nobody'
      for (const missing of [foreign, 'no such id', '../x', '']) {
        await expect(sessions.open(missing)).rejects.toMatchObject({ code: 'not_found' })
        expect(await sessions.get(missing)).toBeUndefined()
      }
    }
  })

  it('keeps a call and its results in order and says what is open', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([user('look'), calling('a', 'b'), result('b')])
    await session.append([result('a'), assistant('done')])
    const { messages } = await session.messages()
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant'])
    await expect(session.append(result('c'))).rejects.toMatchObject({ code: 'call_not_open' })
  })

  it('refuses bad input before anything is decided', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const bad: unknown[] = [
      { role: 'robot', parts: [{ type: 'text', text: 'x' }] },
      { role: 'user', parts: [] },
      { role: 'user', parts: [{ type: 'text', text: '\ud800' }] },
      { role: 'user', parts: [{ type: 'text', text: 'x' }], author: '\ud800' },
      { role: 'user', parts: [{ type: 'data', name: 'd', data: Number.NaN }] },
      { role: 'user', parts: [{ type: 'text', text: 'x' }], seq: 4 },
    ]
    for (const message of bad) {
      await expect(session.append(message as never)).rejects.toMatchObject({ code: 'invalid_input' })
    }
    const large = user('x'.repeat(5 * 1024 * 1024))
    await expect(session.append(large)).rejects.toMatchObject({
      code: 'limit_exceeded',
      details: { limit: 'eventBytes' },
    })
    expect((await session.view()).seq).toBe(1)
  })

  it('is not moved by what the caller does to the values afterwards', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const metadata = { deep: { n: 1 } }
    const data = { n: 1 }
    const writes = Promise.all([
      session.patchMetadata(metadata),
      session.append({ role: 'user', parts: [{ type: 'data', name: 'd', data }] }),
    ])
    metadata.deep.n = 2
    data.n = 2
    await writes
    await session.patchMetadata({ other: true })
    expect((await session.view()).metadata).toEqual({ deep: { n: 1 }, other: true })
    expect((await session.messages()).messages[0]?.parts[0]).toMatchObject({ data: { n: 1 } })
  })

  it('keeps of an object that is used again what it held each time', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(calling('one', 'two'))
    const state = { turn: 'first' }
    const write = (callId: string) =>
      session.batch([
        { type: 'finishTool', callId, output: state },
        { type: 'addNote', kind: 'state', data: state },
      ])
    const first = write('one')
    state.turn = 'second'
    const second = write('two')
    state.turn = 'third'
    await Promise.all([first, second])
    const { events } = await session.events({ limit: 100 })
    const held = events.flatMap((event) => {
      if (isKnown(event, 'tool.finished')) return [event.data.output]
      return isKnown(event, 'note.added') ? [event.data.data] : []
    })
    const turns = ['first', 'first', 'second', 'second']
    expect(held).toEqual(turns.map((turn) => ({ turn })))
  })

  it('folds what it stores, whatever the caller does meanwhile', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const position = { line: 1 }
    const input = { n: 1 }
    const call = { type: 'tool_call' as const, callId: 'one', name: 'look', input }
    const writes = session.batch([
      { type: 'addNote', kind: 'import.position', data: position },
      { type: 'append', message: { role: 'assistant', parts: [call] } },
    ])
    position.line = 2
    input.n = 2
    await writes
    expect((await session.messages()).messages[0]?.parts).toEqual([{ ...call, input: { n: 1 } }])
    expect(await gather(holdfast.doctor({ sessionId: session.id }))).toEqual([])
  })

  it('refuses every write after closing, and closing again changes nothing', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const closed = await session.close({ outcome: 'completed', reason: 'done' })
    expect(closed.lifecycle).toBe('closed')
    await expect(session.append(user('late'))).rejects.toMatchObject({ code: 'session_closed' })
    const { endedAt } = await session.view()
    place.clock.advance(1_000)
    await session.close({ outcome: 'failed' })
    expect(await session.view()).toMatchObject({ endedAt, outcome: 'completed', status: 'completed' })
  })

  it('refuses writes after the holdfast was closed', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const last = session.append(user('last'))
    await holdfast.close()
    await holdfast.close()
    expect((await last).lastSeq).toBe(3)
    await expect(session.append(user('late'))).rejects.toMatchObject({ code: 'store_closed' })
  })

  it('continues after a session was dropped from memory', async () => {
    const { sessions } = await place.open({ idleSessions: 1 })
    const many = await Promise.all(Array.from({ length: 5 }, () => sessions.create({ agentId: 'agent' })))
    for (let round = 0; round < 3; round++) for (const session of many) await session.append(user(`${round}`))
    for (const session of many) expect((await session.view()).counters.messageCount).toBe(3)
  })

  it('brings stored events up to today’s shape wherever they are read', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append([user('old'), assistant('older')])
    const store = await place.openStore()
    if ((await store.readHead(holdfast.tenantId, session.id)) === undefined) return
    const upcasters = {
      'message.appended': { 1: (data: unknown) => ({ ...(data as object), author: 'upcast' }) },
    }
    const newer = await place.open({ upcasters })
    const seen = await newer.sessions.open(session.id)
    const { messages } = await seen.messages()
    expect(messages.map(({ author }) => author)).toEqual(['upcast', 'upcast'])
    const { events } = await seen.events({ after: 2 })
    expect(events.map(({ v }) => v)).toEqual([2, 2])
    for await (const item of seen.follow({ after: '2' })) {
      expect(item.type === 'event' && item.event).toEqual(events[0])
      break
    }
  })
})
