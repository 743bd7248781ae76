import type { PriceBook } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { LedgerRow, UsageGrouping, UsageTotals } from '../store/store.ts'
import { addTotals, noUsage, totalsOf } from '../store/usage-totals.ts'
import type { Holdfast } from './holdfast.ts'
import type { RollUpOptions, RollUpPage } from './roll-up.ts'
import { eachStore } from './testing/each-store.ts'

const book: PriceBook = {
  prices: {
    'p/a': { prompt: 2_000_000, completion: 5_000_000 },
    'p/b': { prompt: 1_000_000, completion: 0 },
  },
}
const dearer: PriceBook = {
  prices: {
    'p/a': { prompt: 4_000_000, completion: 5_000_000 },
    'p/new': { prompt: 3_000_000, completion: 0 },
  },
}

const columns = [
  'sessionId',
  'rootSessionId',
  'ownerUserId',
  'agentId',
  'providerId',
  'model',
  'purpose',
  'day',
] as const satisfies readonly UsageGrouping[]

function attempt(attemptId: string, rest: Record<string, unknown> = {}) {
  return { attemptId, providerId: 'p', model: 'a', promptTokens: 10, completionTokens: 1, ...rest }
}

/** Every page of a roll-up, or of another that is paged in the same way. */
async function everyGroup<Group>(
  page: (options: RollUpOptions) => Promise<RollUpPage<Group>>,
  options: RollUpOptions,
): Promise<Group[]> {
  const groups: Group[] = []
  for (let after: string | undefined, pages = 0; pages < 1_000; pages++) {
    const found = await page({ ...options, ...(after !== undefined && { after }) })
    groups.push(...found.groups)
    after = found.next
    if (after === undefined) return groups
  }
  throw new Error('after 1,000 pages the end is not reached')
}

eachStore('price books', (place) => {
  it('are versions that stay; the current one rates new usage and is told in its rows', async () => {
    const { sessions, priceBooks, usage } = await place.open()
    expect(await priceBooks.current()).toBeUndefined()
    expect(await priceBooks.rate(attempt('a0'))).toMatchObject({ costSource: 'unknown' })
    await priceBooks.put('2026-01', book)
    await priceBooks.put('2026-02', dearer)
    await expect(priceBooks.put('2026-01', dearer)).rejects.toMatchObject({ code: 'id_taken' })
    await expect(priceBooks.setCurrent('2026-03')).rejects.toMatchObject({ code: 'not_found' })
    await priceBooks.setCurrent('2026-01')
    expect(await priceBooks.current()).toMatchObject({ id: '2026-01', body: book })
    expect((await priceBooks.list()).records.map(({ id }) => id)).toEqual(['2026-01', '2026-02'])

    const session = await sessions.create({ agentId: 'agent' })
    await session.recordUsage(await priceBooks.rate(attempt('a1')))
    await priceBooks.setCurrent('2026-02')
    await session.recordUsage(await priceBooks.rate(attempt('a2')))
    await session.recordUsage(await priceBooks.rate(attempt('a3', { model: 'b' })))
    const reported = { costMicrocents: 7, costSource: 'provider' as const }
    await session.recordUsage(await priceBooks.rate(attempt('a4', reported)))
    const { rows } = await usage.list(session.id)
    expect(rows.map((row) => [row.costMicrocents, row.costSource, row.priceBook])).toEqual([
      [25, 'price_book', '2026-01'],
      [45, 'price_book', '2026-02'],
      [undefined, 'unknown', undefined],
      [7, 'provider', undefined],
    ])
    expect(await usage.totals()).toMatchObject({ rows: 4, costMicrocents: 77, costUnknown: 1 })
  })

  it('are not needed where the store was opened with prices; one that is named goes before those', async () => {
    let asked = 0
    const prices = async () => {
      asked += 1
      if (asked === 1) throw new Error('not yet')
      return { id: 'published', body: book }
    }
    const holdfast = await place.open({ prices })
    const { priceBooks } = holdfast
    await expect(priceBooks.rate(attempt('a1'))).rejects.toThrow('not yet')
    const published = { costMicrocents: 25, costSource: 'price_book', priceBook: 'published' }
    expect(await priceBooks.rate(attempt('a1'))).toMatchObject(published)
    expect(await holdfast.forTenant('other').priceBooks.rate(attempt('a1'))).toMatchObject(published)
    expect(await priceBooks.current()).toBeUndefined()
    await priceBooks.put('own', dearer)
    await priceBooks.setCurrent('own')
    expect(await priceBooks.rate(attempt('a2'))).toMatchObject({ costMicrocents: 45, priceBook: 'own' })
    expect(asked).toBe(2)
  })

  it('rate a call by the prices of its time, by default of now', async () => {
    const { priceBooks } = await place.open()
    const changes = [{ when: { from: '2030-01-01T00:00:00Z' }, prompt: 9_000_000, completion: 0 }]
    await priceBooks.put('b', { prices: { 'p/a': { prompt: 1_000_000, completion: 0, changes } } })
    await priceBooks.setCurrent('b')
    expect(await priceBooks.rate(attempt('a'))).toMatchObject({ costMicrocents: 10 })
    const late = attempt('a', { at: '2030-01-01T00:00:00Z' })
    expect(await priceBooks.rate(late)).toMatchObject({ costMicrocents: 90 })
    for (const at of ['yesterday', '2030-01-01', '2030-01-01T00:00:00+05:00']) {
      await expect(priceBooks.rate(attempt('a', { at })), at).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })

  it('rate again as they rated, though the call was recorded when its price had changed', async () => {
    const { sessions, priceBooks, usage } = await place.open()
    const changes = [
      {
        when: { from: new Date(place.clock.now() + 3_600_000).toISOString() },
        prompt: 9_000_000,
        completion: 0,
      },
    ]
    await priceBooks.put('b', { prices: { 'p/a': { prompt: 1_000_000, completion: 0, changes } } })
    await priceBooks.setCurrent('b')
    const session = await sessions.create({ agentId: 'agent' })
    const rated = await priceBooks.rate(attempt('a'))
    place.clock.advance(7_200_000)
    await session.recordUsage(rated)
    const { groups } = await usage.rerate('b', { by: ['day'] })
    expect(groups).toMatchObject([{ costMicrocents: 10, differenceMicrocents: 0 }])
    expect((await usage.list(session.id)).rows[0]?.at).toBe(rated.at)
  })

  it('of another tenant are not there', async () => {
    const holdfast = await place.open()
    await holdfast.priceBooks.put('b', book)
    await holdfast.priceBooks.setCurrent('b')
    const other = holdfast.forTenant('other')
    expect(await other.priceBooks.current()).toBeUndefined()
    await expect(other.usage.rerate('b')).rejects.toMatchObject({ code: 'not_found' })
  })
})

/** Two trees, two users, two models, three days, an unknown cost and a user who was deleted. */
async function spend(holdfast: Holdfast, advance: (ms: number) => void): Promise<void> {
  const { sessions } = holdfast
  for (const [index, id] of ['r', 's', 'gone'].entries()) {
    const session = await sessions.create({ agentId: `agent-${index % 2}`, id, ownerUserId: `u${index}` })
    for (const [n, model] of ['a', 'b', 'none'].entries()) {
      const cost = model === 'none' ? {} : { costMicrocents: 100 * n + index, costSource: 'price_book' }
      const purpose = n === 0 ? 'title' : 'turn'
      await session.recordUsage(attempt(`${id}-${n}`, { model, purpose, ...cost }))
    }
    advance(24 * 60 * 60 * 1_000)
  }
  const root = await (await sessions.create({ agentId: 'agent-0', id: 'root', ownerUserId: 'u0' })).activate()
  const run = await root.startRun({ owner: 'w', ttlMs: 60_000 })
  await run.spawnChild({ agentId: 'agent-1', childId: 'child' })
  const child = await sessions.open('child')
  if (child.lifecycle === 'created' || child.lifecycle === 'active')
    await child.recordUsage(attempt('c', { costMicrocents: 1, costSource: 'provider' }))
  await run.recordUsage(attempt('r', { providerId: undefined }))
  await sessions.delete('gone')
}

eachStore('a roll-up', (place) => {
  it('sums by session, tree, user, agent, model, purpose and day, and by several', async () => {
    const holdfast = await place.open()
    await spend(holdfast, (ms) => place.clock.advance(ms))
    const { usage } = holdfast
    const summed = async (...by: UsageGrouping[]) =>
      (await usage.rollUp({ by })).groups.map(({ key, rows }) => [...by.map((name) => key[name]), rows])
    expect(await summed()).toEqual([[11]])
    expect(await summed('sessionId')).toEqual([
      ['child', 1],
      ['gone', 3],
      ['r', 3],
      ['root', 1],
      ['s', 3],
    ])
    expect(await summed('rootSessionId')).toEqual([
      ['gone', 3],
      ['r', 3],
      ['root', 2],
      ['s', 3],
    ])
    expect((await summed('ownerUserId'))[0], 'what a deleted session leaves has no user').toEqual([
      undefined,
      3,
    ])
    expect(await summed('agentId')).toEqual([
      ['agent-0', 7],
      ['agent-1', 4],
    ])
    expect(await summed('providerId', 'model')).toEqual([
      [undefined, 'a', 1],
      ['p', 'a', 4],
      ['p', 'b', 3],
      ['p', 'none', 3],
    ])
    expect(await summed('purpose')).toEqual([
      ['title', 3],
      ['turn', 8],
    ])
    expect((await summed('day')).map(([, rows]) => rows)).toEqual([3, 3, 3, 2])
    expect((await summed('day', 'purpose')).map(([, ...rest]) => rest)).toEqual([
      ['title', 1],
      ['turn', 2],
      ['title', 1],
      ['turn', 2],
      ['title', 1],
      ['turn', 2],
      ['turn', 2],
    ])
  })

  it('is of the rows that its filters leave', async () => {
    const holdfast = await place.open()
    await spend(holdfast, (ms) => place.clock.advance(ms))
    const rows = async (options: RollUpOptions) => (await holdfast.usage.rollUp(options)).groups[0]?.rows
    const days = (await holdfast.usage.rollUp({ by: ['day'] })).groups.map(({ key }) => key.day as string)
    expect(await rows({ where: { rootSessionId: 'root' } })).toBe(2)
    expect(await rows({ where: { ownerUserId: null } })).toBe(3)
    expect(await rows({ where: { providerId: 'p', model: 'a' } })).toBe(4)
    expect(await rows({ from: days[1] as string })).toBe(8)
    expect(await rows({ until: days[1] as string })).toBe(3)
    expect(await rows({ from: days[1] as string, until: `${days[2]}T00:00:00.000Z` })).toBe(3)
    expect(await rows({ where: { agentId: 'agent-1' }, from: days[3] as string })).toBe(1)
    expect(await rows({ where: { model: 'nothing' } })).toBeUndefined()
  })

  it('is paged by key; a cursor is good for its own question only', async () => {
    const holdfast = await place.open()
    await spend(holdfast, (ms) => place.clock.advance(ms))
    const page = (options: RollUpOptions) => holdfast.usage.rollUp(options)
    const by: UsageGrouping[] = ['ownerUserId', 'model']
    const whole = (await page({ by })).groups
    for (const limit of [1, 2, 3]) expect(await everyGroup(page, { by, limit })).toEqual(whole)
    const { next } = await page({ by, limit: 1 })
    const wrong = { code: 'invalid_cursor' }
    await expect(page({ by: ['model'], after: next as string })).rejects.toMatchObject(wrong)
    await expect(page({ by: ['model', 'ownerUserId'], after: next as string })).rejects.toMatchObject(wrong)
    await expect(page({ by, where: { model: 'a' }, after: next as string })).rejects.toMatchObject(wrong)
    await expect(page({ by, after: 'x' })).rejects.toMatchObject(wrong)
  })

  it('refuses what it does not know', async () => {
    const { usage } = await place.open()
    for (const options of [
      { by: ['tenantId'] },
      { by: ['day', 'day'] },
      { by: ['toString'] },
      { where: { tenantId: 'other' } },
      { where: { sessionId: null } },
      { where: { model: 5 } },
      { from: 'yesterday' },
      { from: '2026-02-30' },
      { until: '2026-02-03T04:05:06.5Z' },
      { limit: 0 },
      { group: 'model' },
    ]) {
      const refused = expect(usage.rollUp(options as never), JSON.stringify(options))
      await refused.rejects.toMatchObject({ code: 'invalid_input' })
    }
    for (const asked of [usage.totals({ session: 's' } as never), usage.list('s', { from: 1 } as never)]) {
      await expect(asked).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })

  it('does not see another tenant', async () => {
    const holdfast = await place.open()
    await spend(holdfast, (ms) => place.clock.advance(ms))
    const other = holdfast.forTenant('other').usage
    expect((await other.rollUp({ by: ['sessionId'] })).groups).toEqual([])
    expect((await other.rollUp({ where: { sessionId: 'r' } })).groups).toEqual([])
    expect((await other.rerate(book, { where: { sessionId: 'r' } })).groups).toEqual([])
  })
})

eachStore('a re-rating', (place) => {
  it('tells old and new cost and what stays unknown, and changes no row', async () => {
    const { sessions, priceBooks, usage } = await place.open()
    await priceBooks.put('old', book)
    await priceBooks.put('new', dearer)
    await priceBooks.setCurrent('old')
    const session = await sessions.create({ agentId: 'agent' })
    for (const model of ['a', 'b', 'new', 'none']) {
      await session.recordUsage(await priceBooks.rate(attempt(model, { model })))
    }
    const reported = { costMicrocents: 1_000, costSource: 'provider' as const }
    await session.recordUsage(attempt('reported', reported))
    const before = await usage.list(session.id)

    const { groups } = await usage.rerate('new', { by: ['model'] })
    expect(
      groups.map(({ key, costMicrocents, costUnknown, rerated, differenceMicrocents, ...became }) => {
        return [
          key.model,
          costMicrocents,
          costUnknown,
          rerated.costMicrocents,
          rerated.costUnknown,
          differenceMicrocents,
          became.becameKnown,
          became.becameUnknown,
        ]
      }),
    ).toEqual([
      ['a', 1_025, 0, 1_045, 0, 20, 0, 0],
      ['b', 10, 0, 0, 1, 0, 0, 1],
      ['new', 0, 1, 30, 0, 0, 1, 0],
      ['none', 0, 1, 0, 1, 0, 0, 0],
    ])
    expect((await usage.rerate(dearer)).groups).toMatchObject([
      {
        key: {},
        rows: 5,
        costMicrocents: 1_035,
        rerated: { costMicrocents: 1_075, costUnknown: 2 },
        differenceMicrocents: 20,
      },
    ])
    expect(await usage.list(session.id)).toEqual(before)
    await expect(usage.rerate('none')).rejects.toMatchObject({ code: 'not_found' })
    for (const wrong of [null, {}, { prices: { a: { prompt: 0.5 } } }]) {
      await expect(usage.rerate(wrong as never)).rejects.toMatchObject({ code: 'invalid_input' })
    }
  })

  it('under the book that they were rated by changes nothing, whatever the rows', async () => {
    const { sessions, priceBooks, usage } = await place.open()
    await priceBooks.put('old', book)
    await priceBooks.setCurrent('old')
    const session = await sessions.create({ agentId: 'agent' })
    for (let n = 0; n < 20; n++) {
      const tokens = { model: ['a', 'b', 'c'][n % 3], promptTokens: n * 37, completionTokens: n }
      await session.recordUsage(await priceBooks.rate(attempt(`a${n}`, tokens)))
    }
    for (const group of (await usage.rerate('old', { by: ['model'] })).groups) {
      expect(group.differenceMicrocents).toBe(0)
      expect(group.rerated.costUnknown).toBe(group.costUnknown)
    }
  })
})

const anyAttempt = fc.record({
  session: fc.nat(4),
  model: fc.constantFrom('a', 'b', 'none'),
  hours: fc.nat(30),
  promptTokens: fc.nat(1_000_000),
  completionTokens: fc.nat(10_000),
  status: fc.constantFrom('ok', 'failed', 'aborted'),
  known: fc.boolean(),
})

eachStore('totals', (place) => {
  it('equal the sum of the rows under every grouping, and groups add up to the total', async () => {
    const holdfast = await place.open()
    let tenants = 0
    const property = fc.asyncProperty(
      fc.array(anyAttempt, { maxLength: 25 }),
      fc.subarray([...columns]),
      fc.integer({ min: 1, max: 4 }),
      async (attempts, by, limit) => {
        const tenant = holdfast.forTenant(`tenant-${++tenants}`)
        const rows = await recorded(tenant, attempts, (ms) => place.clock.advance(ms))
        const total = rows.map(totalsOf).reduce(addTotals, noUsage())
        expect(await tenant.usage.totals()).toEqual(total)
        const groups = await everyGroup((options) => tenant.usage.rollUp(options), { by, limit })
        expect(groups.map(sumsOf).reduce(addTotals, noUsage())).toEqual(total)
        for (const { key, ...sums } of groups) {
          const own = rows.filter((row) =>
            by.every((name) => (name === 'day' ? row.at.slice(0, 10) : row[name]) === key[name]),
          )
          expect(sums).toEqual(own.map(totalsOf).reduce(addTotals, noUsage()))
        }
        const rerated = await everyGroup((options) => tenant.usage.rerate(book, options), { by, limit })
        expect(rerated.map(({ key }) => key)).toEqual(groups.map(({ key }) => key))
        expect(rerated.map(sumsOf)).toEqual(groups.map(sumsOf))
      },
    )
    await fc.assert(property, { numRuns: 25 })
  })
})

/** Records the attempts and gives the rows that the store then has, session by session. */
async function recorded(
  { sessions, usage }: Holdfast,
  attempts: readonly (typeof anyAttempt extends fc.Arbitrary<infer A> ? A : never)[],
  advance: (ms: number) => void,
): Promise<LedgerRow[]> {
  const ids = new Set(attempts.map(({ session }) => `s${session}`))
  for (const id of ids)
    await sessions.create({ id, agentId: `agent ${id}`, ownerUserId: `u${Number(id[1]) % 2}` })
  for (const [n, { session, hours, known, ...rest }] of attempts.entries()) {
    advance(hours * 60 * 60 * 1_000)
    const handle = await sessions.open(`s${session}`)
    const cost = known ? { costMicrocents: n * 10, costSource: 'provider' } : {}
    if (handle.lifecycle === 'created') await handle.recordUsage(attempt(`a${n}`, { ...rest, ...cost }))
  }
  const lists = await Promise.all(
    [...ids].map(async (sessionId) => {
      const { rows } = await usage.list(sessionId, { limit: 100 })
      return rows.map((row) => ({ ...row, sessionId }))
    }),
  )
  return lists.flat()
}

function sumsOf(group: UsageTotals): UsageTotals {
  const names = Object.keys(noUsage()) as (keyof UsageTotals)[]
  return Object.fromEntries(names.map((name) => [name, group[name]])) as unknown as UsageTotals
}
