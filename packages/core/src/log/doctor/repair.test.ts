import { HoldfastError } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { Place } from '../../store/memory/place.ts'
import { MemoryStore } from '../../store/memory/store.ts'
import type { Rebuild, Store } from '../../store/store.ts'
import { type Holdfast, openHoldfast } from '../holdfast.ts'
import type { ActiveSession } from '../session-types.ts'
import { withMembers } from '../testing/between.ts'
import { eachSharedStore, eachStore, HeldClock, type TestPlace } from '../testing/each-store.ts'
import { gather } from '../testing/gather.ts'
import { assistant, calling, typesOf, user } from '../testing/messages.ts'

const worker = { owner: 'worker', ttlMs: 60_000 }

/** A lost run with a draft and an open call, another session with open calls, and a child that was never created. */
async function leaveOpen({ clock }: TestPlace, store: Store, tenantId = 'default'): Promise<void> {
  const { sessions } = await openHoldfast({ store, clock: clock.now, tenantId })
  const lost = await (await sessions.create({ id: 'lost', agentId: 'agent' })).activate()
  const run = await lost.startRun(worker)
  await run.append(calling('c1'))
  const draft = run.draft('d')
  draft.write('half an ans')
  await draft.flush()
  const open = await sessions.create({ id: 'open', agentId: 'agent' })
  await open.append([user('look'), calling('c2', 'c3')])
  await open.spawnChild({ agentId: 'agent', childId: 'child' })
  await sessions.delete('child')
  clock.advance(700_000)
}

eachStore('a repair of what was left open', (place) => {
  it('ends it by events that say so, and a dry run only says it', async () => {
    const store = await place.openStore()
    await leaveOpen(place, store)
    const holdfast = await openHoldfast({ store, clock: place.clock.now })
    const planned = await holdfast.repair('open', { dryRun: true })
    expect(planned).toMatchObject({ dryRun: true, left: [] })
    expect((await store.readHead(holdfast.tenantId, 'open'))?.seq).toBe(7)

    const done = await holdfast.repair('open')
    expect(done).toEqual({ ...planned, dryRun: false })
    expect(done.repaired.map(({ code }) => code)).toEqual(['calls_open', 'child_open'])
    const session = (await holdfast.sessions.open('open')) as ActiveSession
    const { events } = await session.events({ after: 7 })
    expect(typesOf(events)).toEqual(['tool.finished', 'tool.finished', 'child.finished', 'session.repaired'])
    expect(events.at(-1)).toMatchObject({
      actor: { kind: 'system', id: 'repair' },
      data: { findings: ['calls_open', 'child_open'] },
    })
    expect(events[2]?.data).toMatchObject({ childId: 'child', outcome: 'failed' })

    expect((await holdfast.repair('lost')).repaired.map(({ code }) => code)).toEqual(['run_lost'])
    const lost = await holdfast.sessions.open('lost')
    expect((await lost.view()).run?.state).toBe('failed')
    expect((await lost.messages()).messages.at(-1)).toMatchObject({ finish: 'interrupted' })
    expect(await gather(holdfast.doctor())).toEqual([])
    for (const id of ['open', 'lost']) expect((await holdfast.repair(id)).repaired).toEqual([])
  })

  it('ends a lost run of a session that has expired, with its session', async () => {
    const holdfast = await place.open()
    const created = await holdfast.sessions.create({ id: 's', agentId: 'agent', ttlSecs: 100 })
    await (await created.activate()).startRun(worker)
    place.clock.advance(700_000)
    expect((await holdfast.repair('s')).repaired.map(({ code }) => code)).toEqual(['run_lost'])
    expect(await gather(holdfast.doctor())).toEqual([])
    expect((await holdfast.sessions.get('s'))?.run?.state).toBe('cancelled')
  })

  it('counts nothing as repaired that another was first to do', async () => {
    const store = await place.openStore()
    await leaveOpen(place, store)
    const holdfast = await openHoldfast({ store, clock: place.clock.now })
    const late = withMembers(store, {
      async readHead(...call) {
        await holdfast.sessions.recover('lost')
        return store.readHead(...call)
      },
    })
    const second = await openHoldfast({ store: late, clock: place.clock.now })
    expect(await second.repair('lost')).toEqual({ dryRun: false, repaired: [], left: [] })
  })

  it('that dies at any write is finished by the next one', async () => {
    for (let at = 1; ; at++) {
      const store = await place.openStore()
      const tenantId = `tenant-${at}`
      await leaveOpen(place, store, tenantId)
      let writes = 0
      const dying = withMembers(store, {
        async commit(commits) {
          writes += 1
          if (writes === at) throw new HoldfastError('store_unavailable', 'died before')
          const outcomes = await store.commit(commits)
          if (writes === at - 1) throw new HoldfastError('store_unavailable', 'died after')
          return outcomes
        },
      })
      const first = await openHoldfast({ store: dying, clock: place.clock.now, tenantId })
      const died = await first.repair(first.doctor()).catch((error: unknown) => error)
      const holdfast = await openHoldfast({ store, clock: place.clock.now, tenantId })
      place.clock.advance(700_000)
      await holdfast.repair(holdfast.doctor())
      expect(await gather(holdfast.doctor())).toEqual([])
      const session = await holdfast.sessions.open('open')
      expect(
        typesOf((await session.events()).events).filter((type) => type === 'session.repaired'),
      ).toHaveLength(1)
      if (!(died instanceof HoldfastError)) return
    }
  })
})

eachSharedStore('a repair of several sessions', (place) => {
  it('goes on past one that is gone, and leaves what was found in one that is busy', async () => {
    if (!place.behind) return
    const store = await place.openStore()
    const holdfast = await openHoldfast({ store, clock: place.clock.now })
    for (const id of ['busy', 'gone', 'calm']) {
      const session = await holdfast.sessions.create({ id, agentId: 'agent' })
      await session.recordUsage({ attemptId: 'a', promptTokens: 1, completionTokens: 1 })
    }
    await place.behind('DELETE FROM @usage')
    const found = await gather(holdfast.doctor())
    await holdfast.sessions.delete('gone')
    const busy = withMembers(store, {
      async rebuild(rebuilt) {
        if (rebuilt.sessionId === 'busy') {
          const session = (await holdfast.sessions.open('busy')) as ActiveSession
          await session.append(user('more'))
        }
        return store.rebuild(rebuilt)
      },
    })
    const repairing = await openHoldfast({ store: busy, clock: place.clock.now })
    const { repaired, left } = await repairing.repair(found)
    expect(repaired.map(({ sessionId, code }) => [sessionId, code])).toEqual([['calm', 'usage_wrong']])
    expect(left).toEqual(found.filter(({ sessionId }) => sessionId === 'busy'))
    await expect(repairing.repair('busy')).rejects.toMatchObject({ code: 'contention' })
    expect((await holdfast.repair(left)).repaired).toHaveLength(1)
    expect(await gather(holdfast.doctor())).toEqual([])
  })
})

eachSharedStore('a repair beside a process that has the head in memory', (place) => {
  /** A head and parts that are wrong and pass their checksum, as another version's fold would have left them. */
  async function leaveWrong(
    holdfast: Holdfast,
    rows: Pick<Rebuild, 'parts'> & Partial<Rebuild>,
  ): Promise<void> {
    const store = await place.openStore()
    const { tenantId } = holdfast
    const raw = await store.readRawSession(tenantId, 's')
    if (!raw) throw new Error('there is no such session')
    const body = raw.head.body.replace('"messageCount":1', '"messageCount":41')
    const none = { waypoints: [], refs: [], strayRefs: [], usage: [], usageSeqs: [] }
    const head = { ...raw.head, body }
    const at = { tenantId, sessionId: 's', lastSeq: raw.lastSeq }
    expect(await store.rebuild({ ...none, ...at, head, ...rows })).toBe(true)
  }

  it('appends to the log, so that the wrong head is not written again', async () => {
    const [ours, theirs] = [await place.open(), await place.open()]
    const created = await ours.sessions.create({ id: 's', agentId: 'agent' })
    await created.append(user('one'))
    await leaveWrong(ours, { parts: [] })
    const session = (await theirs.sessions.open('s')) as ActiveSession
    await session.append(user('on the wrong head'))
    const { repaired, left } = await ours.repair('s')
    expect([repaired.map(({ code }) => code), left]).toEqual([['head_wrong'], []])
    const [last] = (await session.events()).events.slice(-1)
    expect(last).toMatchObject({
      type: 'session.repaired',
      actor: { kind: 'system', id: 'repair' },
      data: { findings: ['head_wrong'] },
    })
    await session.append(user('on the right one'))
    expect((await session.view()).counters.messageCount).toBe(3)
    expect(await gather(ours.doctor())).toEqual([])
    expect((await ours.repair('s')).repaired).toEqual([])
  })

  it('appends where a run lives, whose worker keeps parts', async () => {
    const [ours, theirs] = [await place.open(), await place.open()]
    await theirs.sessions.create({ id: 's', agentId: 'agent', metadata: { colour: 'red' } })
    const session = (await theirs.sessions.open('s')) as ActiveSession
    const run = await session.startRun(worker)
    const { tenantId } = ours
    const seq = (await session.view()).seq
    const parts = [{ part: 'metadata', seq, body: '{"colour":"blue"}' }]
    const store = await place.openStore()
    const raw = await store.readRawSession(tenantId, 's')
    await leaveWrong(ours, { parts, ...(raw && { head: raw.head }) })
    const setKey = (key: string) => session.patchMetadata({ [key]: 1 })
    await setKey('size')
    expect((await ours.repair('s')).repaired.map(({ code }) => code)).toEqual(['part_wrong'])
    await setKey('weight')
    await run.complete()
    expect((await session.view()).metadata).toEqual({ colour: 'red', size: 1, weight: 1 })
    expect(await gather(ours.doctor())).toEqual([])
  })

  it('is done again when they were first to write on the wrong head', async () => {
    const [writer, theirs] = [await place.open(), await place.open()]
    const created = await writer.sessions.create({ id: 's', agentId: 'agent' })
    await created.append(user('one'))
    await leaveWrong(writer, { parts: [] })
    const session = (await theirs.sessions.open('s')) as ActiveSession
    await session.append(user('on the wrong head'))
    let rival: (() => Promise<unknown>) | undefined = () => session.append(user('on it again'))
    const ours = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async rebuild(rebuilt) {
            const isDone = await store.rebuild(rebuilt)
            const racing = rival
            rival = undefined
            await racing?.()
            return isDone
          },
        }),
    })
    expect((await ours.repair('s')).left).toEqual([])
    await session.append(user('on the right one'))
    expect((await session.view()).counters.messageCount).toBe(4)
    expect(await gather(ours.doctor())).toEqual([])
  })

  it('lets go of a head that was being read when it came', async () => {
    const theirs = await place.open()
    const created = await theirs.sessions.create({ id: 's', agentId: 'agent' })
    await created.append(user('one'))
    await leaveWrong(theirs, { parts: [] })
    const rebuilt = Promise.withResolvers<void>()
    const reading = Promise.withResolvers<void>()
    let isHeld = false
    const ours = await place.open({
      wrap: (store) =>
        withMembers(store, {
          async readHead(...call) {
            const row = await store.readHead(...call)
            if (!isHeld) return row
            isHeld = false
            reading.resolve()
            await rebuilt.promise
            return row
          },
          async rebuild(call) {
            const isDone = await store.rebuild(call)
            setImmediate(rebuilt.resolve)
            return isDone
          },
        }),
    })
    const session = (await ours.sessions.open('s')) as ActiveSession
    isHeld = true
    const writing = session.append(user('two'))
    await reading.promise
    const { repaired } = await ours.repair('s')
    expect(repaired.map(({ code }) => code)).toEqual(['head_wrong'])
    await writing
    expect(
      typesOf((await session.events()).events).filter((type) => type === 'session.repaired'),
    ).toHaveLength(1)
    expect((await session.view()).counters.messageCount).toBe(2)
    expect(await gather(ours.doctor())).toEqual([])
  })
})

eachSharedStore('a repair of what is derived', (place) => {
  it('that dies at any write is finished by the next one', async () => {
    if (!place.behind) return
    const store = await place.openStore()
    const holdfast = await openHoldfast({ store, clock: place.clock.now })
    const session = await holdfast.sessions.create({ id: 's', agentId: 'agent', metadata: { a: 1 } })
    for (let n = 0; n < 3; n++) await session.append([user(`u${n}`, { id: `m${n}` }), assistant('ok')])
    await session.recordUsage({ attemptId: 'a', promptTokens: 1, completionTokens: 1 })
    const whole = () => store.readRawSession(holdfast.tenantId, 's')
    const before = [await whole(), await store.listRefs(holdfast.tenantId, 's', 0, 99)]
    for (let at = 1; ; at++) {
      for (const sql of [
        'UPDATE @sessions SET seq = seq - 1, epoch = 4',
        "DELETE FROM @refs WHERE kind = 'message'",
        'UPDATE @usage SET prompt_tokens = 7',
        "UPDATE @parts SET body = '{}'",
      ])
        await place.behind(sql)
      let writes = 0
      const dying = withMembers(store, {
        async rebuild(rebuilt) {
          writes += 1
          if (writes === at) throw new HoldfastError('store_unavailable', 'died before')
          const isDone = await store.rebuild(rebuilt)
          if (writes === at - 1) throw new HoldfastError('store_unavailable', 'died after')
          return isDone
        },
      })
      const first = await openHoldfast({ store: dying, clock: place.clock.now })
      const died = await first.repair('s').catch((error: unknown) => error)
      await holdfast.repair('s')
      expect(await gather(holdfast.doctor())).toEqual([])
      expect([await whole(), await store.listRefs(holdfast.tenantId, 's', 0, 99)]).toEqual(before)
      await expect(session.append(user('again', { id: 'm1' }))).rejects.toMatchObject({
        code: 'duplicate_id',
      })
      if (!(died instanceof HoldfastError)) return
      expect(at).toBeLessThan(9)
    }
  })

  it('goes on while others write, and finds nothing wrong with what they do', async () => {
    const holdfast = await place.open()
    const other = await place.open()
    const session = await (await holdfast.sessions.create({ id: 's', agentId: 'agent' })).activate()
    await session.append(Array.from({ length: 40 }, (_, n) => user(`first ${n}`)))
    let isDone = false
    const writing = (async () => {
      for (let n = 0; !isDone; n++) {
        await session.append([user(`u${n}`), assistant('ok')])
        if (n % 5 === 4) await other.sessions.erase('s', [3 + (n % 40)])
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let n = 0; n < 12; n++) expect(await gather(other.doctor({ everyTenant: true }))).toEqual([])
    isDone = true
    await writing
  })

  it('leaves alone the draft of a run that began meanwhile', async () => {
    const store = await place.openStore()
    const writer = await place.open()
    const session = await (await writer.sessions.create({ id: 's', agentId: 'agent' })).activate()
    await session.append(user('go'))
    const meanwhile = withMembers(store, {
      async listDrafts(...call) {
        const run = await session.startRun(worker)
        const draft = run.draft('d')
        draft.write('half a word')
        await draft.flush()
        return store.listDrafts(...call)
      },
    })
    const holdfast = await openHoldfast({ store: meanwhile, clock: place.clock.now })
    expect(await gather(holdfast.doctor({ sessionId: 's' }))).toEqual([])
  })

  it('of a log that has lost an event leaves it, and the session can be forked before it', async () => {
    if (!place.behind) return
    const holdfast = await place.open()
    const session = await (await holdfast.sessions.create({ id: 's', agentId: 'agent' })).activate()
    await session.append([user('one'), assistant('two'), user('three')])
    await place.behind("DELETE FROM @events WHERE type = 'message.appended' AND seq = 4")
    const { repaired, left } = await holdfast.repair('s')
    expect([repaired, left.map(({ code, seq }) => [code, seq])]).toEqual([[], [['event_damaged', 4]]])
    expect(left[0]?.message).toContain('fork the session at 3')
    const fork = await session.fork({ id: 'f' }, { atSeq: 3 })
    await fork.append(assistant('two again'))
    expect(await gather(holdfast.doctor({ sessionId: 'f' }))).toEqual([])
  })
})

eachStore('the doctor', (place) => {
  it('looks at one session, at a tenant, or at every tenant', async () => {
    const store = await place.openStore()
    const ours = await openHoldfast({ store, clock: place.clock.now })
    const theirs = ours.forTenant('theirs')
    for (const { sessions } of [ours, theirs]) {
      for (const id of ['a', 'b']) {
        const session = await (await sessions.create({ id, agentId: 'agent' })).activate()
        await session.startRun(worker)
      }
    }
    place.clock.advance(worker.ttlMs)
    const told = async (options?: object) =>
      (await gather(ours.doctor(options))).map(({ tenantId, sessionId }) => `${tenantId} ${sessionId}`).sort()
    expect(await told({ sessionId: 'a' })).toEqual(['default a'])
    expect(await told()).toEqual(['default a', 'default b'])
    expect(await told({ everyTenant: true })).toEqual(['default a', 'default b', 'theirs a', 'theirs b'])
    await expect(told({ sessionId: 'nobody' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(told({ sessionId: 'a', everyTenant: true })).rejects.toMatchObject({ code: 'invalid_input' })
    await ours.repair(ours.doctor({ everyTenant: true }))
    expect(await told({ everyTenant: true })).toEqual([])
  })
})

it.each([
  ['doctor', { session: 'calm' }],
  ['doctor', { sessionId: '' }],
  ['repair', { dryrun: true }],
] as const)('a misspelt option of %s is refused: %o', async (operation, options) => {
  const holdfast = await openHoldfast({ store: new MemoryStore(new Place(), new HeldClock().now) })
  const called =
    operation === 'doctor'
      ? gather(holdfast.doctor(options as object))
      : holdfast.repair([], options as object)
  await expect(called).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(holdfast.repair('')).rejects.toMatchObject({ code: 'invalid_input' })
})

it('damage in memory is found and repaired as in a file', async () => {
  const place = new Place()
  const clock = new HeldClock()
  const store = new MemoryStore(place, clock.now)
  const holdfast = await openHoldfast({ store, clock: clock.now })
  const session = await holdfast.sessions.create({ id: 's', agentId: 'agent', metadata: { a: 1 } })
  await session.append([user('one', { id: 'm1' }), assistant('two')])
  await session.recordUsage({ attemptId: 'a', promptTokens: 1, completionTokens: 1 })
  await session.fork({ id: 'f' })
  const view = await session.view()
  const tenant = place.tenant(holdfast.tenantId)
  const kept = tenant.sessions.get('s') as NonNullable<ReturnType<typeof tenant.sessions.get>>
  const fork = tenant.sessions.get('f') as typeof kept
  const damages: Record<string, () => void> = {
    refs_wrong: () => kept.refs.clear(),
    part_wrong: () => kept.parts.delete('metadata'),
    usage_wrong: () => tenant.usage.delete('s'),
    waypoint_wrong: () => fork.waypoints.pop(),
    columns_wrong: () => Object.assign(kept.head, { agentId: 'another' }),
    head_wrong: () =>
      Object.assign(kept.head, { body: kept.head.body.replace('"messageCount":2', '"messageCount":3') }),
    lease_wrong: () => Object.assign(kept, { lease: { ...kept.lease, epoch: 3 } }),
  }
  let appended = 0
  for (const [code, damage] of Object.entries(damages)) {
    damage()
    const found = await gather(holdfast.doctor())
    expect([...new Set(found.map((finding) => finding.code))]).toEqual([code])
    expect((await holdfast.repair(found)).left).toEqual([])
    expect(await gather(holdfast.doctor())).toEqual([])
    // In memory there is no checksum, so others may have read that head.
    if (code === 'head_wrong') appended += 1
    expect(await session.view()).toEqual({
      ...view,
      seq: view.seq + appended,
      version: view.version + appended,
    })
  }
})
