import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toTime } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { eachStore, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'

const secret = 'canary-4711-secret'

/** Everything that any read gives of these sessions, as one text. */
async function everything(
  holdfast: Awaited<ReturnType<TestPlace['open']>>,
  ...ids: string[]
): Promise<string> {
  const found: unknown[] = []
  for (const id of ids) {
    const session = await holdfast.sessions.open(id)
    const { seq } = await session.view()
    found.push(
      await session.view(),
      await session.messages({ limit: 1_000 }),
      await session.events({ limit: 1_000 }),
    )
    if (seq > 2) found.push(await (await session.fork({}, { atSeq: seq - 1 })).view())
  }
  found.push(await holdfast.sessions.list())
  return JSON.stringify(found)
}

eachStore('erasing', (place) => {
  it('takes the content and all that was made from it, and keeps places and counts', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const session = await sessions.create({ agentId: 'agent' })
    const turns = [user('one'), assistant('two'), user(secret, { id: 'm' }), assistant('ok')]
    const later = [user('a'), assistant('b'), user('c'), assistant('d'), user('e'), assistant('f')]
    await session.append([...turns, ...later])
    await session.rename(`about ${secret}`, { automatic: true })
    const record = {
      compactionId: 'c1',
      from: 3,
      to: 6,
      trigger: 'manual' as const,
      tokensBefore: 900,
      tokensAfter: 9,
      messagesCovered: 4,
    }
    await session.compact({ record, pathSeq: 0, summary: `they said ${secret}`, summaryTokens: 5 })
    await session.patchMetadata({ kept: true })
    const fork = await session.fork({ title: 'fork' })
    await fork.append(user('on'))
    expect((await holdfast.search(secret)).hits.length).toBeGreaterThan(0)

    const receipt = await sessions.erase(session.id, [5], { reason: 'asked' })
    expect(receipt).toMatchObject({ events: 3, deletedSessions: 0, finalAt: toTime(place.clock.now()) })
    expect(JSON.stringify(receipt)).not.toContain(secret)
    expect(await everything(holdfast, session.id, fork.id)).not.toContain(secret)
    expect((await holdfast.search(secret)).hits).toEqual([])
    expect((await holdfast.search('one')).hits.length).toBeGreaterThan(0)
    const { messages } = await session.messages()
    expect(messages[2]).toMatchObject({ id: 'm', seq: 5, role: 'user', erased: true, parts: [] })
    expect(await session.view()).toMatchObject({
      counters: { messageCount: 10, exchangeCount: 5 },
      metadata: { kept: true },
    })
    const { summary, title } = await session.view()
    expect([summary, title]).toEqual([undefined, undefined])
    // What is chosen once stays chosen.
    await expect(session.append(user('x', { id: 'm' }))).rejects.toMatchObject({ code: 'duplicate_id' })
    await session.append([user('still'), assistant('works')])
    await fork.append([assistant('too')])
    expect(textsOf((await fork.messages()).messages).at(-1)).toBe('too')
  })

  it('reaches forks of forks, and the source when it is asked of a fork', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([user(secret), assistant('fine')])
    const first = await session.fork()
    await first.append([user('first'), assistant('x')])
    const second = await first.fork()
    await second.patchMetadata({ n: 1 })
    await sessions.erase(second.id, [3])
    expect(await everything(holdfast, session.id, first.id, second.id)).not.toContain(secret)
    expect((await second.view()).metadata).toEqual({ n: 1 })
    expect(textsOf((await second.messages()).messages)).toEqual(['', 'fine', 'first', 'x'])
  })

  it('keeps calls and results paired, and runs ended', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const session = await (await sessions.create({ agentId: 'agent' })).activate()
    await session.append(user('go'))
    const run = await session.startRun({ owner: 'w', ttlMs: 1_000 })
    await run.append(calling('c1'))
    await run.finishTool({ callId: 'c1', output: secret })
    await run.cancel(secret)
    await session.append([calling('c2'), result('c2', secret)])
    const { events } = await session.events()
    const seqs = events.filter((event) => JSON.stringify(event.data).includes(secret)).map(({ seq }) => seq)
    await sessions.erase(session.id, seqs)
    expect(await everything(holdfast, session.id)).not.toContain(secret)
    expect(await session.view()).toMatchObject({ run: { state: 'cancelled' }, counters: { messageCount: 5 } })
    await session.append([assistant('on')])
    await session.startRun({ owner: 'w', ttlMs: 1_000 })
  })

  it('refuses what a session is made of and what it does not have', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    for (const seqs of [[1], [2], [0], []]) {
      await expect(sessions.erase(session.id, seqs)).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })

  it('goes beside writers, who lose nothing', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append([user(secret), assistant('ok')])
    const writing = Promise.all(Array.from({ length: 200 }, (_, n) => session.append(user(`${n}`))))
    await sessions.erase(session.id, [3])
    await writing
    const view = await session.view()
    expect(view.counters.messageCount).toBe(202)
    expect(JSON.stringify((await session.events({ limit: 500 })).events)).not.toContain(secret)
  })
})

eachStore('forgetting a user', (place) => {
  it('deletes what they own and erases what they wrote elsewhere', async () => {
    const holdfast = await place.open()
    const { sessions, participants } = holdfast
    const alice = holdfast.forTenant('default', { actor: { kind: 'user', id: 'alice' } })
    const own = await sessions.create({ agentId: 'agent', ownerUserId: 'alice' })
    await own.append(user(secret))
    const shared = await sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    await shared.append([user('hello'), assistant('hi')])
    const hers = await alice.sessions.open(shared.id)
    if (!('append' in hers)) throw new Error('ended')
    await hers.append(user(secret))
    await shared.append(user(secret, { author: 'alice' }))
    await participants.put('p1', { conversationId: 'c', kind: 'user', name: 'Alice', userId: 'alice' })
    const receipt = await holdfast.eraseUser('alice')
    expect(receipt).toMatchObject({
      deletedSessions: 1,
      events: 5,
      sessions: 1,
      finalAt: toTime(place.clock.now()),
    })
    expect(await sessions.get(own.id)).toBeUndefined()
    const left = await everything(holdfast, shared.id)
    expect(left).not.toContain(secret)
    expect(left).not.toContain('alice')
    expect(textsOf((await shared.messages()).messages).slice(0, 2)).toEqual(['hello', 'hi'])
    expect((await participants.get('p1'))?.body).toEqual({ conversationId: 'c', kind: 'user' })
  })

  it('leaves their bytes in no file', async () => {
    const holdfast = await place.open()
    const path = place.look('PRAGMA database_list')?.[0]?.file
    if (typeof path !== 'string') return
    const session = await holdfast.sessions.create({ agentId: 'agent', ownerUserId: 'bob' })
    await session.append([user(secret, { author: 'alice' }), assistant('ok')])
    await holdfast.eraseUser('alice')
    await holdfast.close()
    const folder = dirname(path)
    for (const name of readdirSync(folder)) {
      expect(readFileSync(join(folder, name)).includes(secret), name).toBe(false)
    }
  })
})
