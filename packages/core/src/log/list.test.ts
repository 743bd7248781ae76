import { limits } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import type { SessionFilters } from './list-sessions.ts'
import type { Sessions } from './sessions.ts'
import { eachStore } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

async function all(sessions: Sessions, filters: SessionFilters, limit: number): Promise<string[]> {
  const ids: string[] = []
  for (let after: string | undefined; ; ) {
    const page = await sessions.list(filters, { limit, ...(after !== undefined && { after }) })
    expect(page.sessions.length).toBeLessThanOrEqual(limit)
    ids.push(...page.sessions.map(({ id }) => id))
    if (page.next === undefined) return ids
    after = page.next
  }
}

eachStore('lists of sessions', (place) => {
  async function make(sessions: Sessions): Promise<string[]> {
    const ids: string[] = []
    for (let n = 0; n < 30; n++) {
      const session = await sessions.create({
        id: `s${String(n).padStart(2, '0')}`,
        agentId: n % 2 === 0 ? 'even' : 'odd',
        ownerUserId: n % 3 === 0 ? 'alice' : 'bob',
        conversationId: n < 10 ? 'talk' : `c${n}`,
        channel: n % 5 === 0 ? 'cli' : 'web',
        pinned: n === 7,
        ...(n === 8 && { purpose: 'autonomous' as const, goalText: 'win' }),
        ...(n === 9 && { ttlSecs: 10 }),
        model: n === 11 ? 'maker/big' : 'small',
      })
      if (n === 12) await session.close({ outcome: 'failed' })
      ids.push(session.id)
      place.clock.advance(1_000)
    }
    return ids
  }

  it('give every session once, in their order, page by page', async () => {
    const { sessions } = await place.open()
    const ids = await make(sessions)
    for (const limit of [1, 7, 30, 100]) {
      expect(await all(sessions, {}, limit)).toEqual(ids.toReversed())
      expect(await all(sessions, { conversationId: 'talk' }, limit)).toEqual(ids.slice(0, 10))
      expect(await all(sessions, { agentId: 'odd' }, limit)).toEqual(
        ids.filter((_, n) => n % 2 === 1).reverse(),
      )
      expect(await all(sessions, { ownerUserId: 'alice', channel: 'cli' }, limit)).toEqual(['s15', 's00'])
    }
  })

  it('take every filter, also many at once', async () => {
    const { sessions } = await place.open()
    await make(sessions)
    const cases: [SessionFilters, string[]][] = [
      [{ pinned: true }, ['s07']],
      [{ purpose: 'autonomous' }, ['s08']],
      [{ status: 'expired' }, ['s09']],
      [{ status: ['failed', 'expired'] }, ['s12', 's09']],
      [{ model: 'big', providerId: 'maker' }, ['s11']],
      [{ lineage: 'child' }, []],
      [{ rootSessionId: 's03' }, ['s03']],
      [{ threadId: 'c20' }, ['s20']],
      [{ hasQuestion: true }, []],
      [{ parentSessionId: 's01' }, []],
      [{ agentId: 'even', ownerUserId: 'bob', channel: 'cli' }, ['s20', 's10']],
      [{ updatedSince: new Date(place.clock.now() - 2_000).toISOString() }, ['s29', 's28']],
      [{ updatedSince: new Date(place.clock.now() - 2_000).toISOString(), agentId: 'odd' }, ['s29']],
    ]
    for (const [filters, ids] of cases)
      expect(await all(sessions, filters, 3), JSON.stringify(filters)).toEqual(ids)
    expect(await all(sessions, { hasQuestion: false, pinned: false }, 50)).toHaveLength(29)
  })

  it('put open questions longest waiting first', async () => {
    const { sessions } = await place.open()
    for (const id of ['b', 'a', 'c']) {
      const session = await sessions.create({ id, agentId: 'agent' })
      await session.ask({ questionId: `q-${id}`, question: '?' })
      place.clock.advance(1_000)
    }
    expect(await all(sessions, { hasQuestion: true }, 2)).toEqual(['b', 'a', 'c'])
    const page = await sessions.list({ hasQuestion: true })
    expect(page.sessions[0]).toMatchObject({ openQuestionId: 'q-b', status: 'created' })
  })

  it('look at a bounded number of rows for one page and go on from there', async () => {
    const { sessions } = await place.open()
    const writes = []
    for (let n = 0; n < limits.listScanRows + 50; n++)
      writes.push(sessions.create({ agentId: 'agent', pinned: n === 0 }))
    await Promise.all(writes)
    const page = await sessions.list({ pinned: true })
    expect(page.sessions.length + (page.next === undefined ? 0 : 1)).toBe(1)
    expect(await all(sessions, { pinned: true }, 10)).toHaveLength(1)
  })

  it('refuse a cursor of other filters and filters that are none', async () => {
    const { sessions } = await place.open()
    await make(sessions)
    const { next } = await sessions.list({ agentId: 'odd' }, { limit: 2 })
    const after = next as string
    await sessions.list({ agentId: 'odd' }, { limit: 9, after })
    for (const [filters, cursor] of [
      [{ agentId: 'even' }, after],
      [{}, after],
      [{ agentId: 'odd' }, 'nonsense'],
      [{ agentId: 'odd' }, Buffer.from('[1]').toString('base64url')],
    ] as const) {
      await expect(sessions.list(filters, { after: cursor })).rejects.toMatchObject({
        code: 'invalid_cursor',
      })
    }
    for (const filters of [{ "agentId' OR 1=1": 'x' }, { constructor: 'x' }]) {
      await expect(sessions.list(filters as never)).rejects.toMatchObject({ code: 'invalid_input' })
    }
    await expect(sessions.list({}, { limit: 0 })).rejects.toMatchObject({ code: 'invalid_input' })
  })

  it('show only the own tenant', async () => {
    const holdfast = await place.open()
    await make(holdfast.sessions)
    expect((await holdfast.forTenant('other').sessions.list()).sessions).toEqual([])
  })
})

eachStore('pages of messages', (place) => {
  it('never part a call from its results, in either direction', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    for (let n = 0; n < 12; n++) {
      const calls = [0, 1, 2].map((c) => ({
        type: 'tool_call' as const,
        callId: `${n}-${c}`,
        name: 't',
        input: {},
      }))
      const results = calls.map(({ callId }) => ({
        role: 'tool' as const,
        parts: [{ type: 'tool_result' as const, callId, output: 1 }],
      }))
      await session.append([user(`${n}`), { role: 'assistant', parts: calls }, ...results])
    }
    const whole = (await session.messages({ limit: 1_000 })).messages
    expect(whole).toHaveLength(60)
    for (const limit of [1, 2, 3, 4, 5, 7, 50]) {
      const back: number[] = []
      for (let before: string | undefined; ; ) {
        const page = await session.messages({ limit, ...(before !== undefined && { before }) })
        expect(page.messages[0]?.role).not.toBe('tool')
        back.unshift(...page.messages.map(({ seq }) => seq))
        if (page.older === undefined) break
        before = page.older
      }
      expect(back).toEqual(whole.map(({ seq }) => seq))
      const forth: number[] = []
      for (let after = '0'; ; ) {
        const page = await session.messages({ limit, after })
        if (page.messages.length === 0) break
        expect(page.messages[0]?.role).not.toBe('tool')
        forth.push(...page.messages.map(({ seq }) => seq))
        after = page.newer
      }
      expect(forth).toEqual(back)
    }
  })

  it('are the newest, oldest first, unless another place is asked for', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(Array.from({ length: 200 }, (_, n) => user(`${n}`)))
    const page = await session.messages({ limit: 3 })
    expect(page.messages.map(({ seq }) => seq)).toEqual([200, 201, 202])
    await session.append(user('new'))
    const next = await session.messages({ after: page.newer })
    expect(next.messages.map(({ seq }) => seq)).toEqual([203])
    await expect(session.messages({ before: 'x' })).rejects.toMatchObject({ code: 'invalid_cursor' })
    const { events, more } = await session.events({ limit: 2, direction: 'backward' })
    expect([events.map(({ seq }) => seq), more]).toEqual([[203, 202], true])
    const { texts } = await session.eventTexts({ limit: 2, direction: 'backward' })
    expect(texts.map(({ text }) => JSON.parse(text))).toEqual(events)
    const range = await session.events({ after: 10, through: 12 })
    expect([range.events.map(({ seq }) => seq), range.more]).toEqual([[11, 12], false])
  })

  it('give summaries that are the reader’s own: what is changed in one shows in no later list', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ id: 'one', agentId: 'agent' })
    await session.append(user('hi'))
    await session.fork({ id: 'fork' })
    const listed = await sessions.list()
    const before = structuredClone(listed)
    for (const summary of listed.sessions) {
      for (const field of Object.values(summary)) {
        if (typeof field === 'object')
          for (const name of Object.keys(field)) Object.assign(field, { [name]: 0 })
      }
    }
    expect(await sessions.list()).toEqual(before)
  })
})
