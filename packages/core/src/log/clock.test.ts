/**
 * A clock may stand still, jump by years or run backwards. Seqs alone order a log, whatever its times say; the clock
 * judges leases, questions and lives, each past its end at the very instant.
 */
import type { Session } from '@holdfast/protocol'
import { afterEach, expect, it } from 'vitest'
import type { Holdfast } from './holdfast.ts'
import type { ActiveSession } from './session-types.ts'
import { eachStore, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, result, textsOf, user } from './testing/messages.ts'

const day = 24 * 60 * 60 * 1_000
const tenYears = 3_652 * day
const lease = { owner: 'worker', ttlMs: 60_000 }
const other = { owner: 'other', ttlMs: 60_000 }

eachStore('a clock that jumps', (place) => {
  it('by ten years and back moves times and never the order', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent' })
    const texts = Array.from({ length: 12 }, (_, n) => `text ${n}`)
    for (const [n, text] of texts.entries()) {
      place.clock.advance([tenYears, -tenYears, -tenYears, tenYears, 0, -1][n % 6] ?? 0)
      await session.append(user(text))
    }
    const { events } = await session.events()
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1))
    expect(new Set(events.map(({ at }) => at.slice(0, 4)))).toEqual(new Set(['2026', '2036', '2016']))
    expect(textsOf((await session.messages()).messages)).toEqual(texts)
    const paged = await session.messages({
      limit: 5,
      before: (await session.messages({ limit: 5 })).older as string,
    })
    expect(textsOf(paged.messages)).toEqual(texts.slice(2, 7))
    const { updatedAt, lastActivityAt } = await session.view()
    expect([updatedAt, lastActivityAt]).toEqual([events.at(-1)?.at, events.at(-1)?.at])
  })

  it('leaves a workload what it is under one that stands still', async () => {
    const still = await workload(await place.open({ tenantId: 'still' }), () => {})
    const jumps = [tenYears, -tenYears, 0, -tenYears, 1, tenYears]
    let n = 0
    const wild = await workload(await place.open({ tenantId: 'wild' }), () => {
      place.clock.advance(jumps[n++ % jumps.length] ?? 0)
    })
    expect(n).toBeGreaterThan(jumps.length)
    expect(wild).toEqual(still)
  })

  it('lists every session once, also those of one instant', async () => {
    const { sessions } = await place.open()
    const ids = new Set<string>()
    for (const jump of [0, 0, tenYears, 0, -2 * tenYears, 0, 0]) {
      place.clock.advance(jump)
      ids.add((await sessions.create({ agentId: 'agent' })).id)
    }
    const listed: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await sessions.list({}, { limit: 2, ...(after && { after }) })
      listed.push(...page.sessions.map(({ id }) => id))
      after = page.next
      if (after === undefined) break
    }
    expect(listed.toSorted()).toEqual([...ids].toSorted())
  })

  it('ahead loses leases, and a worker that nobody replaced goes on', async () => {
    const { session, run } = await withRun(place)
    place.clock.advance(tenYears)
    expect((await session.view()).status).toBe('unknown')
    await run.append(assistant('still here'))
    await run.heartbeat(lease.ttlMs)
    expect((await session.view()).status).toBe('running')
    await expect(session.takeOverRun(other)).rejects.toMatchObject({ code: 'lease_held' })
    place.clock.advance(lease.ttlMs)
    await session.takeOverRun(other)
    await expect(run.append(assistant('too late'))).rejects.toMatchObject({ code: 'stale_epoch' })
    await expect(run.heartbeat(1)).rejects.toMatchObject({ code: 'stale_epoch' })
  })

  it('back keeps a lease for longer, until its worker shortens it', async () => {
    const { session, run } = await withRun(place)
    place.clock.advance(-tenYears)
    place.clock.advance(lease.ttlMs)
    expect((await session.view()).status).toBe('running')
    await expect(session.takeOverRun(other)).rejects.toMatchObject({ code: 'lease_held' })
    await run.heartbeat(1_000)
    place.clock.advance(1_000)
    await session.takeOverRun(other)
    const { run: taken } = await session.view()
    expect(taken).toMatchObject({ epoch: 2, owner: 'other', lost: false })
  })

  it('back during a run lets it end before it began, once', async () => {
    const { session, run: started } = await withRun(place)
    const run = await started.startRound()
    place.clock.advance(-tenYears)
    await run.append(calling('c1'))
    place.clock.advance(-day)
    await run.finishTool({ callId: 'c1', output: 'seen' })
    await run.completeRound()
    await run.append(assistant('done'))
    await run.complete()
    const { run: ended, counters, status } = await session.view()
    expect(ended?.state).toBe('completed')
    expect(Date.parse(ended?.endedAt ?? '')).toBeLessThan(Date.parse(ended?.startedAt ?? ''))
    expect(counters).toMatchObject({ turnCount: 1, roundCount: 1, exchangeCount: 1 })
    expect(status).toBe('idle')
  })
})

eachStore('an end in time', (place) => {
  it('of a lease is at the very instant and not a millisecond before', async () => {
    const { session } = await withRun(place)
    place.clock.advance(lease.ttlMs - 1)
    expect(await session.view()).toMatchObject({ status: 'running', run: { lost: false } })
    await expect(session.takeOverRun(other)).rejects.toMatchObject({ code: 'lease_held' })
    place.clock.advance(1)
    expect(await session.view()).toMatchObject({ status: 'unknown', run: { lost: true } })
    await session.takeOverRun(other)
  })

  it('of a session is at the very instant, swept or not', async () => {
    const holdfast = await place.open()
    const session = await expiring(holdfast)
    place.clock.advance(3_600_000 - 1)
    await session.append(user('in time'))
    expect((await holdfast.sweep()).expiredSessions).toBe(0)
    place.clock.advance(1)
    await expect(session.append(user('too late'))).rejects.toMatchObject({ code: 'session_expired' })
    expect((await session.view()).status).toBe('expired')
    const { seq, expiresAt } = await session.view()
    expect((await holdfast.sweep()).expiredSessions).toBe(1)
    // The event is of the sweep; the end was before it.
    expect(await session.view()).toMatchObject({ status: 'expired', seq: seq + 1, endedAt: expiresAt })
  })

  it('comes again when the clock went back, unless a sweep made it an event', async () => {
    const holdfast = await place.open()
    const session = await expiring(holdfast)
    place.clock.advance(tenYears)
    await expect(session.append(user('too late'))).rejects.toMatchObject({ code: 'session_expired' })
    place.clock.advance(-tenYears)
    await session.append(user('in time again'))
    place.clock.advance(tenYears)
    await holdfast.sweep()
    place.clock.advance(-tenYears)
    await expect(session.append(user('too late'))).rejects.toMatchObject({ code: 'session_expired' })
    expect((await session.view()).status).toBe('expired')
  })

  it('of a session leaves its live run to finish under its epoch', async () => {
    const holdfast = await place.open()
    const session = await expiring(holdfast)
    const run = await session.startRun({ owner: 'worker', ttlMs: 600_000 })
    place.clock.advance(3_600_000)
    await run.heartbeat(600_000)
    expect((await holdfast.sweep()).expiredSessions).toBe(0)
    await run.append(assistant('the end'))
    await run.complete()
    expect((await holdfast.sweep()).expiredSessions).toBe(1)
  })

  it('that slides is counted from the last activity', async () => {
    const { sessions } = await place.open()
    const session = await sessions.create({ agentId: 'agent', ttlSecs: 60, ttlSliding: true })
    for (let n = 0; n < 3; n++) {
      await session.append(user('again'))
      place.clock.advance(59_999)
    }
    await session.append(user('in time'))
    place.clock.advance(60_000)
    await expect(session.append(user('too late'))).rejects.toMatchObject({ code: 'session_expired' })
  })

  it('of a question is at the very instant, swept or not', async () => {
    const holdfast = await place.open()
    const session = await holdfast.sessions.create({ agentId: 'agent' })
    const expiresAt = new Date(place.clock.now() + 1_000).toISOString()
    const ask = (questionId: string) => session.ask({ questionId, question: 'Well?', expiresAt })
    await ask('q1')
    place.clock.advance(999)
    await session.answer('q1', 'yes')
    await ask('q2')
    expect((await holdfast.sweep()).expiredQuestions).toBe(0)
    place.clock.advance(1)
    await expect(session.answer('q2', 'yes')).rejects.toMatchObject({
      code: 'question_not_open',
      details: { reason: 'expired' },
    })
    expect((await holdfast.sweep()).expiredQuestions).toBe(1)
  })
})

const home = process.env.TZ
afterEach(() => setZone(home))

eachStore('a time zone', (place) => {
  it('changes nothing, not even where the clocks are put forward', async () => {
    const seen: unknown[] = []
    // In New York the hour after this instant does not exist.
    place.clock.advance(Date.parse('2027-03-14T06:59:59.000Z') - place.clock.now())
    const before = place.clock.now()
    for (const zone of ['UTC', 'America/New_York', 'Pacific/Kiritimati']) {
      setZone(zone)
      place.clock.advance(before - place.clock.now())
      const holdfast = await place.open({ tenantId: zone.replace('/', '-') })
      const session = await holdfast.sessions.create({ agentId: 'agent', ttlSecs: 3_600, id: 's' })
      await session.append(user('hello'))
      place.clock.advance(3_599_999)
      await session.rename('in time', { at: '2027-03-14T02:30:00.000Z' })
      place.clock.advance(1)
      await holdfast.sweep()
      const { tenantId: _tenant, conversationId: _c, threadId: _t, ...view } = await session.view()
      const offsets = [before, place.clock.now()].map((ms) => new Date(ms).getTimezoneOffset())
      seen.push({ view, ats: (await session.events()).events.map(({ at }) => at) })
      expect(offsets).toEqual(
        { UTC: [0, 0], 'America/New_York': [300, 240], 'Pacific/Kiritimati': [-840, -840] }[zone],
      )
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
    expect((seen[0] as { view: Session }).view).toMatchObject({
      status: 'expired',
      expiresAt: '2027-03-14T07:59:59.000Z',
      endedAt: '2027-03-14T07:59:59.000Z',
    })
  })
})

function setZone(zone: string | undefined): void {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
}

async function withRun(place: TestPlace) {
  const { sessions } = await place.open()
  const session = await (await sessions.create({ agentId: 'agent' })).activate()
  await session.append(user('go'))
  return { session, run: await session.startRun(lease) }
}

async function expiring({ sessions }: Holdfast): Promise<ActiveSession> {
  return (await sessions.create({ agentId: 'agent', ttlSecs: 3_600 })).activate()
}

/** Some of everything that a session does; gives what came of it, without times. */
async function workload({ sessions, usage }: Holdfast, tick: () => void): Promise<unknown> {
  const created = await sessions.create({ agentId: 'agent', id: 's', conversationId: 'c' })
  const session = await created.activate({ model: 'maker/model' })
  for (let turn = 0; turn < 3; turn++) {
    tick()
    await session.append(user(`turn ${turn}`))
    tick()
    const run = await (await session.startRun({ ...lease, runId: `run-${turn}` })).startRound(`round-${turn}`)
    tick()
    await run.append(calling(`c${turn}`))
    tick()
    await run.append(result(`c${turn}`))
    await run.recordUsage({ attemptId: `a${turn}`, promptTokens: 10 + turn, completionTokens: turn })
    tick()
    await run.completeRound()
    await run.append(assistant(`answer ${turn}`))
    tick()
    await run.complete()
  }
  tick()
  await session.undo()
  tick()
  await session.redo()
  const { events } = await session.events({ limit: 200 })
  const { counters, status, version } = await session.view()
  return {
    events: events.map(({ seq, type, data }) => ({
      seq,
      type,
      data: { ...(data as object), tenantId: 'any' },
    })),
    messages: textsOf((await session.messages({ limit: 100 })).messages),
    rows: (await usage.list('s')).rows.map(({ at: _at, ...row }) => row),
    ...{ counters, status, version },
  }
}
