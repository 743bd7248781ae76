import { expect, it, vi } from 'vitest'
import type { Followed } from './followed-batches.ts'
import { eachSharedStore, eachStore } from './testing/each-store.ts'
import { assistant, calling, textsOf, typesOf, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 10_000 }

function shown(item: Followed): string {
  if (item.type === 'event') return item.event.type
  return item.type === 'draft' ? item.draft.text : item.type
}

async function until(items: AsyncIterable<Followed>, last: (item: Followed) => boolean): Promise<Followed[]> {
  const taken: Followed[] = []
  for await (const item of items) {
    taken.push(item)
    if (last(item)) break
  }
  return taken
}

eachStore('a draft', (place) => {
  it('is followed chunk by chunk, and its message takes its place', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await (await session.startRun(lease)).startRound()
    const { seq } = await session.view()
    const following = until(
      session.follow({ after: String(seq) }),
      (item) => shown(item) === 'message.appended',
    )
    const draft = run.draft('d1')
    for (const text of ['once ', 'upon ', 'a time']) {
      draft.write(text)
      await draft.flush()
    }
    await run.append(assistant('once upon a time'), { draftId: 'd1' })
    const items = await following
    expect(items.map(shown)).toEqual(['once ', 'upon ', 'a time', 'message.appended'])
    expect(items.map(({ cursor }) => cursor)).toEqual([
      `${seq}:d1:1`,
      `${seq}:d1:2`,
      `${seq}:d1:3`,
      `${seq + 1}`,
    ])
    const after = await until(session.follow({ after: `${seq}:d1:2` }), () => true)
    expect(after.map(shown)).toEqual(['message.appended'])
  })

  it('resumes mid-word from any of its cursors, also across other events', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await (await session.startRun(lease)).startRound()
    const { seq } = await session.view()
    const draft = run.draft('d1')
    draft.write('one ')
    await draft.flush()
    draft.write({ kind: 'reasoning', text: 'hm' })
    await draft.flush()
    await session.append(user('hurry'))
    const at = (after: string, count: number) => {
      let n = 0
      return until(session.follow({ after }), () => ++n === count)
    }
    expect((await at(`${seq}:d1:1`, 2)).map(shown)).toEqual(['message.appended', 'hm'])
    const [event] = await at(`${seq}:d1:2`, 1)
    expect((event as Followed).cursor).toBe(`${seq + 1}:d1:2`)
    draft.write('two')
    await draft.flush()
    expect((await at((event as Followed).cursor, 1)).map(shown)).toEqual(['two'])
  })

  it('of another attempt begins with a reset', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await (await session.startRun(lease)).startRound()
    const { seq } = await session.view()
    const first = run.draft('d1')
    first.write('wrong')
    await first.flush()
    const second = run.draft('d2')
    second.write('right')
    await second.flush()
    const items = await until(session.follow({ after: `${seq}:d1:1` }), (item) => shown(item) === 'right')
    expect(items.map(shown)).toEqual(['draft.reset', 'right'])
    await run.append(assistant('right'), { draftId: 'd2' })
    await run.completeRound()
    await run.complete()
    const drafts = await (await place.openStore()).listDrafts('default' as never, session.id)
    expect(drafts).toEqual([])
  })

  it('joins what is written in one turn, and keeps surrogate pairs whole', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await session.startRun(lease)
    const draft = run.draft('d1')
    for (const text of ['a', 'b', '\ud83d', '\ude00', 'c']) draft.write(text)
    await draft.flush()
    const { seq } = await session.view()
    const items = await until(session.follow({ after: String(seq) }), () => true)
    expect(items.map(shown)).toEqual(['ab\ud83d\ude00c'])
    expect(() => draft.write('x'.repeat(5 * 1024 * 1024))).toThrow(
      expect.objectContaining({ code: 'limit_exceeded' }),
    )
  })

  it('of a worker that lost its run is refused', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('tell me'))
    const run = await session.startRun(lease)
    place.clock.advance(10_001)
    await session.takeOverRun({ owner: 'other', ttlMs: 10_000 })
    const draft = run.draft()
    draft.write('late')
    await expect(draft.flush()).rejects.toMatchObject({ code: 'stale_epoch' })
    expect(() => draft.write('later')).toThrow(expect.objectContaining({ code: 'stale_epoch' }))
  })
})

eachSharedStore('a draft of another process', (place) => {
  it('is followed through the store, and so is its recovery', async () => {
    const [here, there] = [await place.open(), await place.open()]
    const session = await here.sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await session.startRun(lease)
    const { seq } = await session.view()
    const theirs = await there.sessions.open(session.id)
    const items: Followed[] = []
    const theirText = () => items.flatMap((item) => (item.type === 'draft' ? [shown(item)] : [])).join('')
    const following = until(theirs.follow({ after: String(seq) }), (item) => {
      items.push(item)
      return item.type === 'event' && item.event.type === 'run.failed'
    })
    const draft = run.draft()
    for (const text of ['half ', 'an ', 'answer']) {
      draft.write(text)
      await draft.flush()
    }
    // Once the message is there, its chunks are gone: who has not seen them by then gets the whole message instead.
    await vi.waitUntil(() => theirText() === 'half an answer', { timeout: 20_000 })
    place.clock.advance(10_000)
    await here.sweep()
    await following
    expect(theirText()).toBe('half an answer')
    expect(items.filter(({ type }) => type === 'event').map(shown)).toEqual([
      'lease.lost',
      'lease.taken',
      'message.appended',
      'run.failed',
    ])
  })
})

eachStore('recovery of a run whose worker is gone', (place) => {
  it('keeps the draft as an interrupted message, closes calls and ends the run', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('tell me'))
    const run = await (await session.startRun(lease)).startRound()
    const draft = run.draft()
    draft.write({ kind: 'reasoning', text: 'let me think' })
    draft.write('half an ans')
    await draft.flush()
    expect(await sessions.recover(session.id)).toMatchObject({ recovered: false })
    place.clock.advance(10_000)
    expect((await session.view()).status).toBe('unknown')
    expect(await holdfast.sweep()).toMatchObject({ recoveredRuns: 1, failed: [] })
    expect(await holdfast.sweep()).toMatchObject({ recoveredRuns: 0, failed: [] })
    const { messages } = await session.messages()
    expect(messages.at(-1)).toMatchObject({
      finish: 'interrupted',
      parts: [{ type: 'reasoning' }, { text: 'half an ans' }],
    })
    expect(await session.view()).toMatchObject({
      status: 'idle',
      run: { state: 'failed' },
      counters: { exchangeCount: 0, turnCount: 0 },
    })
    await expect(run.append(assistant('late'))).rejects.toMatchObject({ code: 'stale_epoch' })
  })

  it('closes open calls as of unknown outcome, once', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('do it'))
    const run = await (await session.startRun(lease)).startRound()
    await run.append(calling('a', 'b'))
    await run.finishTool({ callId: 'a', output: 'done' })
    place.clock.advance(10_000)
    expect(await sessions.recover(session.id, { outcome: 'cancel' })).toMatchObject({
      recovered: true,
      closedCalls: 1,
    })
    const { messages } = await session.messages()
    expect(messages.at(-1)?.parts[0]).toMatchObject({ callId: 'b', outcome: 'unknown' })
    const { events } = await session.events()
    expect(typesOf(events).filter((type) => type === 'run.cancelled')).toHaveLength(1)
  })

  it('ends a run that was finalizing, whatever was asked for', async () => {
    const { sessions } = await place.open()
    for (const outcome of ['cancel', 'suspend', 'fail'] as const) {
      const session = await sessions.create({ agentId: 'agent' })
      await session.append(user('go'))
      await (await session.startRun(lease)).finalize()
      place.clock.advance(10_000)
      expect(await sessions.recover(session.id, { outcome })).toMatchObject({ recovered: true })
      expect((await session.view()).run?.state).toBe('failed')
    }
  })

  it('can leave the run for another worker to resume', async () => {
    const { sessions } = await place.open()
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await session.startRun(lease)
    run.draft().write('partial')
    await new Promise((resolve) => setTimeout(resolve, 20))
    place.clock.advance(10_000)
    await sessions.recover(session.id, { outcome: 'suspend' })
    expect((await session.view()).status).toBe('suspended')
    const resumed = await session.resumeRun({ owner: 'next', ttlMs: 1_000 })
    expect(resumed.epoch).toBeGreaterThan(run.epoch)
    if (resumed.state === 'initializing') await resumed.startRound()
    expect(textsOf((await session.messages()).messages)).toEqual(['go', 'partial'])
  })
})
