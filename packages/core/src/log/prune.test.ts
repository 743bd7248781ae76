import { expect, it } from 'vitest'
import type { Holdfast } from './holdfast.ts'
import type { Pruned, PruneOptions } from './prune.ts'
import type { AnySession } from './session-types.ts'
import { withMembers } from './testing/between.ts'
import { eachSharedStore, eachStore, seededRandom, type TestPlace } from './testing/each-store.ts'
import { user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 600_000 }
const question = { questionId: 'q', question: 'Which?', options: ['a', 'b'] }

/** Sessions `s0`, `s1` … ten seconds apart, the newest last; then ten seconds more. */
async function agedSessions(place: TestPlace, { sessions }: Holdfast, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const session = await sessions.create({ id: `s${n}`, agentId: n % 2 === 0 ? 'even' : 'odd' })
    await session.append(user('x'))
    place.clock.advance(10_000)
  }
}

async function idsOf({ sessions }: Holdfast): Promise<string[]> {
  return (await sessions.list({}, { limit: 1_000 })).sessions.map(({ id }) => id).sort()
}

/** Every call until the end, as a scheduled task makes them. */
async function pruneAll(
  holdfast: Holdfast,
  options: PruneOptions,
): Promise<Pick<Pruned, 'sessionIds' | 'kept'>> {
  const all: Pick<Pruned, 'sessionIds' | 'kept'> = { sessionIds: [], kept: [] }
  let after: string | undefined
  do {
    const { next, sessionIds, kept } = await holdfast.prune({ ...options, ...(after && { after }) })
    all.sessionIds.push(...sessionIds)
    all.kept.push(...kept)
    after = next
  } while (after !== undefined)
  return all
}

eachStore('pruning', (place) => {
  it('goes by age, then by number, and says which are spared and why', async () => {
    const holdfast = await place.open()
    await agedSessions(place, holdfast, 5)
    const spared: string[] = []
    for (const reason of ['pinned', 'held', 'running', 'suspended', 'question']) {
      const session = await holdfast.sessions.create({ id: reason, agentId: 'even' })
      await session.append(user('x'))
      if (reason === 'pinned') await session.pin(true)
      if (reason === 'held') await session.hold(true)
      if (reason === 'running') await session.startRun(lease)
      if (reason === 'suspended') await (await session.startRun(lease)).suspend('approval')
      if (reason === 'question') await session.ask(question)
      spared.push(reason)
    }
    place.clock.advance(60_000)
    await agedSessions2(place, holdfast)

    const options = { olderThanMs: 95_000, keepNewest: 3 }
    const would = await holdfast.prune({ ...options, dryRun: true })
    expect(would).toMatchObject({ dryRun: true, events: 0 })
    expect(await idsOf(holdfast)).toHaveLength(13)
    const pruned = await holdfast.prune(options)
    expect(pruned.sessionIds).toEqual(would.sessionIds)
    expect(pruned.kept).toEqual(would.kept)
    expect(pruned.sessionIds.sort()).toEqual(['s0', 's1', 's2', 's3', 's4'])
    expect(pruned).toMatchObject({ dryRun: false, events: 15 })
    expect('finalAt' in pruned).toBe(false)
    const kept = new Map(pruned.kept.map(({ sessionId, reason }) => [sessionId, reason]))
    expect(Object.fromEntries(kept)).toEqual({
      pinned: 'pinned',
      held: 'held',
      running: 'running',
      suspended: 'running',
      question: 'question',
    })
    expect(await idsOf(holdfast)).toEqual([...spared, 'n0', 'n1', 'n2'].sort())
    expect((await holdfast.prune({ keepNewest: 1 })).sessionIds.sort()).toEqual(['n0', 'n1'])
    expect((await holdfast.prune({ olderThanMs: 10_000 })).sessionIds).toEqual([])
    expect((await holdfast.prune({ keepNewest: 0, scrub: true })).sessionIds).toEqual(['n2'])
    await expect(holdfast.prune({ keepNewest: 0, after: 'x' })).rejects.toMatchObject({
      code: 'invalid_cursor',
    })
  })

  it('at the very age nothing goes, a second later it does', async () => {
    const holdfast = await place.open()
    await holdfast.sessions.create({ id: 's', agentId: 'agent' })
    place.clock.advance(5_000)
    expect((await holdfast.prune({ olderThanMs: 5_000 })).sessionIds).toEqual([])
    place.clock.advance(1_000)
    expect((await holdfast.prune({ olderThanMs: 5_000 })).sessionIds).toEqual(['s'])
  })

  it('counts and deletes only what its filter lets through', async () => {
    const holdfast = await place.open()
    await agedSessions(place, holdfast, 8)
    const closed = await holdfast.sessions.open('s4')
    if (closed.lifecycle === 'active') await closed.close()
    const byAgent = await holdfast.prune({ keepNewest: 1, filter: { agentId: 'odd' } })
    expect(byAgent.sessionIds.sort()).toEqual(['s1', 's3', 's5'])
    const byStatus = await holdfast.prune({ keepNewest: 0, filter: { agentId: 'even', status: 'completed' } })
    expect(byStatus.sessionIds).toEqual(['s4'])
    expect(await idsOf(holdfast)).toEqual(['s0', 's2', 's6', 's7'])
  })

  it('gives a place among the newest only to those that could go', async () => {
    const holdfast = await place.open()
    await agedSessions(place, holdfast, 6)
    const newest = await holdfast.sessions.open('s5')
    if ('pin' in newest) await newest.pin(true)
    expect((await holdfast.prune({ keepNewest: 4, dryRun: true })).sessionIds).toEqual(['s0'])
    for (const id of ['s0', 's1', 's2']) {
      const session = await holdfast.sessions.open(id)
      if (session.lifecycle === 'active') await session.close()
    }
    await agedSessions2(place, holdfast)
    const { sessionIds } = await holdfast.prune({ keepNewest: 1, filter: { status: 'completed' } })
    expect(sessionIds.sort()).toEqual(['s0', 's1'])
  })

  it('leaves what a session rests on that its filter does not let through', async () => {
    const holdfast = await place.open()
    const source = await holdfast.sessions.create({ id: 'source', agentId: 'agent' })
    await source.append(user('x'))
    await source.fork({ agentId: 'another' })
    expect(await holdfast.prune({ keepNewest: 0, filter: { agentId: 'agent' } })).toMatchObject({
      sessionIds: [],
      kept: [{ sessionId: 'source', reason: 'forked' }],
    })
  })

  it('goes in bounded stretches, from where the last one stopped', async () => {
    const holdfast = await place.open()
    await agedSessions(place, holdfast, 9)
    const first = await holdfast.prune({ keepNewest: 2, limit: 3 })
    expect(first.sessionIds).toEqual(['s6', 's5', 's4'])
    const second = await holdfast.prune({ keepNewest: 2, limit: 3, after: first.next as string })
    expect(second.sessionIds).toEqual(['s3', 's2', 's1'])
    // Begun anew, as after a crash, it goes on as well.
    expect(await pruneAll(holdfast, { keepNewest: 2, limit: 1 })).toEqual({ sessionIds: ['s0'], kept: [] })
    const other = holdfast.prune({ keepNewest: 3, after: first.next as string })
    await expect(other).rejects.toMatchObject({ code: 'invalid_cursor' })
  })

  it('takes a tree whole or not at all', async () => {
    const holdfast = await place.open()
    const trees = ['plain', 'pinned child', 'young child'] as const
    for (const name of trees) {
      const id = name.replace(' ', '-')
      const parent = await holdfast.sessions.create({ id, agentId: 'agent' })
      await parent.append(user('x'))
      await parent.spawnChild({ childId: `${id}-child`, agentId: 'other' })
    }
    place.clock.advance(60_000)
    const pinned = await holdfast.sessions.open('pinned-child-child')
    if ('pin' in pinned) await pinned.pin(true)
    const young = await holdfast.sessions.open('young-child-child')
    if ('append' in young) await young.append(user('x'))
    const { sessionIds, kept } = await holdfast.prune({ olderThanMs: 30_000, filter: { agentId: 'agent' } })
    expect(sessionIds).toEqual(['plain-child', 'plain'])
    expect(kept).toEqual(
      expect.arrayContaining([
        { sessionId: 'pinned-child', reason: 'pinned' },
        { sessionId: 'young-child', reason: 'recent' },
      ]),
    )
    expect((await holdfast.prune({ keepNewest: 0, filter: { agentId: 'other' } })).sessionIds).toEqual([])
  })

  it('leaves what others are based on, unless they go too', async () => {
    const holdfast = await place.open()
    const { sessions } = holdfast
    const source = await sessions.create({ id: 'source', agentId: 'agent' })
    await source.append(user('x'))
    const fork = await source.fork({ id: 'fork' })
    await fork.fork({ id: 'fork-of-fork' })
    place.clock.advance(60_000)
    const last = await sessions.open('fork-of-fork')
    if ('append' in last) await last.append(user('y'))
    const forked = [
      { sessionId: 'source', reason: 'forked' },
      { sessionId: 'fork', reason: 'forked' },
    ]
    const pruned = await holdfast.prune({ olderThanMs: 30_000 })
    expect(pruned.sessionIds).toEqual([])
    expect(pruned.kept).toHaveLength(2)
    expect(pruned.kept).toEqual(expect.arrayContaining(forked))
    expect((await last.messages()).messages).toHaveLength(2)
    place.clock.advance(60_000)
    const would = await pruneAll(holdfast, { olderThanMs: 30_000, limit: 1, dryRun: true })
    const all = await pruneAll(holdfast, { olderThanMs: 30_000, limit: 1 })
    expect(all).toEqual(would)
    expect(all.sessionIds.sort()).toEqual(['fork', 'fork-of-fork', 'source'])
  })

  it('names each session once in a dry run of many calls', async () => {
    const holdfast = await place.open()
    const source = await holdfast.sessions.create({ id: 'source', agentId: 'agent' })
    await source.append(user('x'))
    await source.fork({ id: 'older' })
    place.clock.advance(10_000)
    await source.append(user('y'))
    await holdfast.sessions.create({ id: 'alone', agentId: 'agent' })
    place.clock.advance(10_000)
    const { sessionIds } = await pruneAll(holdfast, { keepNewest: 0, limit: 1, dryRun: true })
    expect(sessionIds.sort()).toEqual(['alone', 'older', 'source'])
  })

  it('takes a root last, also before a child of its moment whose name comes first', async () => {
    const holdfast = await place.open()
    const root = await holdfast.sessions.create({ id: 'root', agentId: 'agent' })
    await root.spawnChild({ childId: 'a-child', agentId: 'agent' })
    await spawn(await holdfast.sessions.open('a-child'), 'a-grandchild')
    await holdfast.sessions.open('a-child').then((source) => source.fork({ id: 'a-fork' }))
    place.clock.advance(60_000)
    const order = ['a-fork', 'a-grandchild', 'a-child', 'root']
    for (const dryRun of [true, false]) {
      expect(await holdfast.prune({ keepNewest: 0, dryRun })).toMatchObject({ sessionIds: order })
    }
  })

  it.each([14, 28, 33, 35])(
    'tells in a dry run what the real one does, on random trees: seed %i',
    async (seed) => {
      const holdfast = await place.open()
      const random = seededRandom(seed)
      const parents = await plantTrees(place, holdfast, random)
      const options: PruneOptions = random() < 0.5 ? { keepNewest: 2 } : { olderThanMs: 30_000 }
      const some = { ...options, limit: 1 + Math.floor(random() * 4), filter: { agentId: 'a' } }
      const would = await pruneAll(holdfast, { ...some, dryRun: true })
      const pruned = await pruneAll(holdfast, some)
      expect(pruned.sessionIds.toSorted()).toEqual(would.sessionIds.toSorted())
      expect(pruned.kept).toEqual(would.kept)
      for (const [n, id] of pruned.sessionIds.entries()) {
        expect(pruned.sessionIds.slice(0, n)).not.toContain(parents.get(id))
      }
      expect((await pruneAll(holdfast, some)).sessionIds).toEqual([])
    },
  )

  it.each(['append', 'pin', 'hold', 'start a run'] as const)(
    'spares a session that is changed between its judgement and its deletion: %s',
    async (change) => {
      let rival: (() => Promise<unknown>) | undefined
      const holdfast = await place.open({
        wrap: (store) =>
          withMembers(store, {
            async deleteSession(...call) {
              const racing = rival
              rival = undefined
              await racing?.()
              return store.deleteSession(...call)
            },
          }),
      })
      const session = await holdfast.sessions.create({ id: 's', agentId: 'agent' })
      await session.append(user('x'))
      place.clock.advance(60_000)
      const changes = {
        append: () => session.append(user('y')),
        pin: () => session.pin(true),
        hold: () => session.hold(true),
        'start a run': () => session.startRun(lease),
      }
      rival = changes[change]
      const { sessionIds, kept } = await holdfast.prune({ olderThanMs: 30_000 })
      expect(sessionIds).toEqual([])
      const reasons = { append: 'recent', pin: 'pinned', hold: 'held', 'start a run': 'running' }
      expect(kept).toEqual([{ sessionId: 's', reason: reasons[change] }])
    },
  )
})

eachSharedStore('pruning by two processes at once', (place) => {
  it('deletes each session once and keeps the newest', async () => {
    const [one, other] = [await place.open(), await place.open()]
    await agedSessions(place, one, 30)
    const pruned = await Promise.all([one, other].map((each) => pruneAll(each, { keepNewest: 5, limit: 4 })))
    const ids = pruned.flatMap(({ sessionIds }) => sessionIds)
    expect(ids.sort()).toEqual(Array.from({ length: 25 }, (_, n) => `s${n}`).sort())
    expect(await idsOf(one)).toEqual(['s25', 's26', 's27', 's28', 's29'])
  })
})

async function agedSessions2(place: TestPlace, { sessions }: Holdfast): Promise<void> {
  for (let n = 0; n < 3; n++) {
    await sessions.create({ id: `n${n}`, agentId: 'odd' })
    place.clock.advance(10_000)
  }
}

/** Trees and forks of them, many of one moment, whose names say nothing of their age. Gives what each rests on. */
async function plantTrees(
  place: TestPlace,
  { sessions }: Holdfast,
  random: () => number,
): Promise<Map<string, string | undefined>> {
  const parents = new Map<string, string | undefined>()
  for (let n = 0; n < 14; n++) {
    if (random() < 0.4) place.clock.advance(10_000)
    const id = `${Math.floor(random() * 36).toString(36)}-${n}`
    const kind = random()
    const on = kind < 0.4 ? undefined : [...parents.keys()][Math.floor(random() * parents.size)]
    if (on === undefined) await sessions.create({ id, agentId: random() < 0.7 ? 'a' : 'b' })
    else if (kind < 0.6) await sessions.open(on).then((source) => source.fork({ id }))
    else await spawn(await sessions.open(on), id)
    if (random() < 0.1) await sessions.open(id).then((session) => session.hold(true))
    parents.set(id, on)
  }
  place.clock.advance(10_000)
  return parents
}

async function spawn(parent: AnySession, childId: string): Promise<void> {
  if (parent.lifecycle === 'closed' || parent.lifecycle === 'expired') throw new Error('it has ended')
  await parent.spawnChild({ childId, agentId: 'a' })
}
