import { expect, it } from 'vitest'
import type { Store } from '../store/store.ts'
import { unknownOutcome, withCommit, withMembers } from './testing/between.ts'
import { eachSharedStore, eachStore, seededRandom } from './testing/each-store.ts'
import { assistant, user } from './testing/messages.ts'

eachStore('an idempotency key', (place) => {
  it('gives the first answer again and writes nothing', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const first = await session.append([user('one'), assistant('two')], { key: 'k' })
    await session.append(user('between'))
    const again = await session.append([user('one'), assistant('two')], { key: 'k' })
    expect(again).toEqual({ ...first, replayed: true })
    expect((await session.view()).counters.messageCount).toBe(3)
  })

  it('answers before any other check: a stale version, a used id, an ended session', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const options = { key: 'k', expectedVersion: 1 }
    const first = await session.append(user('one', { id: 'm' }), options)
    expect(await session.append(user('one', { id: 'm' }), options)).toEqual({ ...first, replayed: true })
    await session.close()
    expect(await session.append(user('one', { id: 'm' }), options)).toEqual({ ...first, replayed: true })
  })

  it('with another request is a conflict, whatever else is wrong with it', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await session.append(user('one', { id: 'm' }), { key: 'k' })
    const conflict = { code: 'key_conflict' }
    await expect(session.append(user('two'), { key: 'k' })).rejects.toMatchObject(conflict)
    await expect(session.append(user('two', { id: 'm' }), { key: 'k' })).rejects.toMatchObject(conflict)
    await expect(session.rename('one', { key: 'k' })).rejects.toMatchObject(conflict)
  })

  it('is not used up by a refusal', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    await expect(session.append(user('x'), { key: 'k', expectedVersion: 9 })).rejects.toMatchObject({
      code: 'version_conflict',
    })
    expect(await session.append(user('x'), { key: 'k' })).toMatchObject({ replayed: false })
  })

  it('is of one session and one tenant', async () => {
    const holdfast = await place.open()
    const other = holdfast.forTenant('other')
    const options = { key: 'k' }
    const a = await holdfast.sessions.create({ agentId: 'agent' }, options)
    const b = await other.sessions.create({ agentId: 'agent' }, options)
    expect(a.id).not.toBe(b.id)
    expect((await a.append(user('x'), { key: 'z' })).replayed).toBe(false)
    expect((await b.append(user('x'), { key: 'z' })).replayed).toBe(false)
  })

  it('is forgotten when it was kept long enough, and not before', async () => {
    const holdfast = await place.open({ keyTtlMs: 1_000 })
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    await session.append(user('x'), { key: 'k' })
    place.clock.advance(999)
    expect((await holdfast.sweep()).expiredKeys).toBe(0)
    expect((await session.append(user('x'), { key: 'k' })).replayed).toBe(true)
    place.clock.advance(1)
    expect((await holdfast.sweep()).expiredKeys).toBe(1)
    expect((await session.append(user('x'), { key: 'k' })).replayed).toBe(false)
  })

  it('makes a creation happen once, by the key or by the chosen id', async () => {
    const { sessions } = await place.open()
    const input = { agentId: 'agent', title: 'one' }
    const [a, b] = await Promise.all([
      sessions.create(input, { key: 'k' }),
      sessions.create(input, { key: 'k' }),
    ])
    expect(a.id).toBe(b.id)
    await expect(sessions.create({ ...input, title: 'two' }, { key: 'k' })).rejects.toMatchObject({
      code: 'key_conflict',
    })
    const chosen = { ...input, id: 'mine' }
    await sessions.create(chosen)
    expect((await sessions.create(chosen)).id).toBe('mine')
    await expect(sessions.create({ ...chosen, title: 'two' })).rejects.toMatchObject({ code: 'id_taken' })
    await expect(sessions.create(chosen, { key: 'k2' })).rejects.toMatchObject({ code: 'id_taken' })
  })
})

eachSharedStore('a key that two processes use at once', (place) => {
  it('gives who comes second the answer of the first, also where its own look was too early', async () => {
    const first = await place.open()
    const created = await first.sessions.create({ agentId: 'agent' })
    const answered = () => first.sessions.at(created.id).answer('q', 'this', { key: 'k' })
    let isFirst = true
    const wrap = (store: Store): Store =>
      withMembers(store, {
        readKey: async (...asked) => {
          const found = await store.readKey(...asked)
          if (isFirst) await answered()
          isFirst = false
          return found
        },
      })
    const second = await place.open({ wrap })
    await second.sessions.at(created.id).append(user('a head to remember'))
    await created.ask({ questionId: 'q', question: 'Which?' })
    const again = await second.sessions.at(created.id).answer('q', 'this', { key: 'k' })
    expect(again).toMatchObject({ replayed: true })
  })
})

eachSharedStore('a storm of requests with lost responses', (place) => {
  it('has each effect once, over two processes and restarts', async () => {
    const random = seededRandom(7)
    const lossy = withCommit(async (commits, commit) => {
      const fate = random()
      if (fate < 0.15) throw unknownOutcome()
      const outcomes = await commit(commits)
      if (fate < 0.3) throw unknownOutcome()
      return outcomes
    })
    let processes = [await place.open({ wrap: lossy, random }), await place.open({ wrap: lossy, random })]
    const { id } = await (processes[0] as (typeof processes)[0]).sessions.create({ agentId: 'agent' })
    const answers = new Map<string, Set<number>>()
    for (let wave = 0; wave < 6; wave++) {
      await Promise.all(
        Array.from({ length: 60 }, async () => {
          const key = `k${Math.floor(random() * 40)}`
          const process = processes[Math.floor(random() * 2)] as (typeof processes)[0]
          const session = await process.sessions.open(id)
          if (!('append' in session)) throw new Error('ended')
          const { lastSeq } = await session.append(user(key), { key })
          answers.set(key, (answers.get(key) ?? new Set()).add(lastSeq as number))
        }),
      )
      if (wave === 3) processes = [await place.open({ wrap: lossy, random }), await place.open()]
    }
    for (const seqs of answers.values()) expect(seqs.size).toBe(1)
    const check = await place.open()
    expect((await check.sessions.get(id))?.counters.messageCount).toBe(answers.size)
  })
})
