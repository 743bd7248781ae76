/** B: walks along the ledger, and what they add up to. */
import { limits } from '@holdfast/protocol'
import type {
  LedgerRow,
  UsageColumn,
  UsageFilter,
  UsageGroup,
  UsageGrouping,
  UsagePosition,
  UsageRow,
} from '../../store.ts'
import { addTotals, noUsage, totalsOf } from '../../usage-totals.ts'
import type { StoreCase } from '../case.ts'
import { plain, rejects, same } from '../expect.ts'
import { hostileIds } from '../hostile.ts'
import type { Trial } from '../trial.ts'

const columns = [
  'sessionId',
  'rootSessionId',
  'ownerUserId',
  'agentId',
  'providerId',
  'model',
  'purpose',
] as const satisfies readonly UsageColumn[]

/** Every grouping: none, each column, pairs, and all at once. */
const groupings: readonly (readonly UsageGrouping[])[] = [
  [],
  ...columns.map((column) => [column]),
  ['day'],
  ['providerId', 'model'],
  ['day', 'ownerUserId'],
  ['model', 'rootSessionId', 'day'],
  [...columns, 'day'],
]

const filters: readonly UsageFilter[] = [
  {},
  { sessionId: 'r' },
  { rootSessionId: 'r' },
  { sessionId: 'c', rootSessionId: 'r' },
  { sessionId: 'c', rootSessionId: 'x' },
  { ownerUserId: 'u1' },
  { ownerUserId: null },
  { agentId: 'a2' },
  { providerId: null },
  { providerId: 'p1', model: 'm1' },
  { model: null },
  { purpose: 'title' },
  { from: '2026-01-02' },
  { until: '2026-01-02' },
  { from: '2026-01-01T23:59:59', until: '2026-01-02T00:00:01' },
  { rootSessionId: 'r', from: '2026-01-02', ownerUserId: 'u1' },
  { sessionId: 'none' },
  { ownerUserId: 'none' },
]

const times = [
  '2026-01-01T23:59:58.999Z',
  '2026-01-01T23:59:59Z',
  '2026-01-01T23:59:59.5Z',
  '2026-01-02T00:00:00.000Z',
  '2026-01-02T00:00:00.123456789Z',
  '2026-01-02T00:00:01.000Z',
  '2026-01-03T12:00:00.000Z',
]

/** A row of every kind that groupings and filters tell apart, in sessions of two trees; times neither rise nor fall. */
async function fill(t: Trial): Promise<LedgerRow[]> {
  const written: LedgerRow[] = []
  const trees = { r: 'r', c: 'r', x: 'x', R: 'R' }
  for (const [index, [sessionId, rootSessionId]] of Object.entries(trees).entries()) {
    const usage = times.map((_, n): Partial<UsageRow> => {
      return {
        at: times[(n * 3 + index) % times.length] as string,
        rootSessionId,
        ownerUserId: [undefined, 'u1', 'U1', 'u2'][(n + index) % 4],
        agentId: n % 3 === 0 ? 'a1' : 'a2',
        providerId: n % 4 === 0 ? undefined : `p${n % 2}`,
        model: n % 5 === 0 ? undefined : `m${n % 3}`,
        purpose: n % 2 === 0 ? 'turn' : 'title',
        costMicrocents: n % 3 === 1 ? undefined : n * 1_000,
        estimated: n % 2 === 1,
        reasoningTokens: index,
      }
    })
    const commit = t.creation(sessionId, { events: usage.length, usage })
    await t.sendAll([commit])
    written.push(...commit.usage.map((row) => ({ ...row, sessionId })))
  }
  return written.sort(compare)
}

function compare(a: LedgerRow, b: LedgerRow): number {
  return bytes(a.at, b.at) || bytes(a.sessionId, b.sessionId) || a.seq - b.seq
}

function bytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function chosen(rows: readonly LedgerRow[], { from = '', until = '~', ...values }: UsageFilter): LedgerRow[] {
  return rows
    .filter(({ at }) => at >= from && at < until)
    .filter((row) =>
      Object.entries(values).every(([name, value]) => (row[name as UsageColumn] ?? null) === value),
    )
}

/** Joins the stretches of a walk; each looks at `limit` rows, so it gives no more. */
async function walk<Part>(
  next: (after: { after?: UsagePosition }) => Promise<{ part: readonly Part[]; next?: UsagePosition }>,
): Promise<Part[]> {
  const parts: Part[] = []
  let after: UsagePosition | undefined
  for (let stretches = 0; stretches < 1_000; stretches += 1) {
    const stretch = await next(after ? { after } : {})
    parts.push(...stretch.part)
    after = stretch.next
    if (!after) return parts
  }
  throw new Error('after 1,000 stretches the end is not reached')
}

function rowsOf(t: Trial, filter: UsageFilter, limit: number): Promise<LedgerRow[]> {
  return walk(async (after) => {
    const { rows, next } = await t.store.listUsage(t.tenant, { filter, limit, ...after })
    same(rows.length <= limit, true, `${rows.length} rows of ${limit}`)
    return { part: rows, ...(next && { next }) }
  })
}

function groupsOf(t: Trial, filter: UsageFilter, by: readonly UsageGrouping[], limit: number) {
  return walk(async (after) => {
    const { groups, next } = await t.store.rollUpUsage(t.tenant, { filter, by, limit, ...after })
    return { part: groups, ...(next && { next }) }
  })
}

/** Sums by key, as plain data. */
function byKey(groups: readonly UsageGroup[]): unknown {
  const sums = new Map<string, UsageGroup>()
  for (const { key, ...totals } of groups) {
    const name = JSON.stringify(key.map((value) => value ?? null))
    sums.set(name, { ...addTotals(sums.get(name) ?? noUsage(), totals), key })
  }
  return plain(new Map([...sums].sort()))
}

function groupOf(row: LedgerRow, by: readonly UsageGrouping[]): UsageGroup {
  return { ...totalsOf(row), key: by.map((name) => (name === 'day' ? row.at.slice(0, 10) : row[name])) }
}

export const ledgerCases: readonly StoreCase[] = [
  {
    id: 'B6.1',
    clause: 'B6',
    title: 'a walk gives each row that fits the filter once, in order, whatever the stretches',
    async run(t) {
      const rows = await fill(t)
      for (const filter of filters) {
        for (const limit of [1, 2, 5, 28, 1_000]) {
          same(await rowsOf(t, filter, limit), chosen(rows, filter), `${JSON.stringify(filter)} by ${limit}`)
        }
      }
    },
  },
  {
    id: 'B6.2',
    clause: 'B6',
    title: 'a stretch looks at as many rows as it was told and says where it stopped, whatever it gives',
    async run(t) {
      const rows = await fill(t)
      const filter = { ownerUserId: 'none' }
      const first = await t.store.listUsage(t.tenant, { filter, limit: 3 })
      const { at, sessionId, seq } = rows[2] as LedgerRow
      same(first, { rows: [], next: { at, sessionId, seq } })
      const late = { from: '2026-01-03' }
      const before = { at, sessionId, seq }
      const fromLate = await t.store.listUsage(t.tenant, { filter: late, after: before, limit: 100 })
      same(fromLate, { rows: chosen(rows, late) }, 'a position before the time of the filter')
      const summed = await t.store.rollUpUsage(t.tenant, { filter, by: ['day'], limit: 3 })
      same(summed, { groups: [], next: { at, sessionId, seq } })
    },
  },
  {
    id: 'B6.3',
    clause: 'B6',
    title: 'rows of deleted sessions are walked over, without user',
    async run(t) {
      const rows = await fill(t)
      await t.store.deleteSession(t.tenant, 'r', { cascade: true })
      const expected = rows.map((row) => (row.sessionId === 'r' ? { ...row, ownerUserId: undefined } : row))
      same(await rowsOf(t, {}, 4), expected)
      same(await rowsOf(t, { sessionId: 'r' }, 4), chosen(expected, { sessionId: 'r' }))
      same(await rowsOf(t, { rootSessionId: 'r', ownerUserId: null }, 4), [
        ...chosen(expected, { rootSessionId: 'r', ownerUserId: null }),
      ])
    },
  },
  {
    id: 'B6.4',
    clause: 'B6',
    title: 'values that look alike to SQL choose different rows and make different groups',
    async run(t) {
      for (const [index, name] of hostileIds.entries()) {
        const usage = { ownerUserId: name, agentId: name, providerId: name, model: name, purpose: name }
        await t.create(`s${index}`, { usage: [{ ...usage, rootSessionId: name }] })
      }
      for (const column of columns.filter((name) => name !== 'sessionId')) {
        for (const [index, name] of hostileIds.entries()) {
          const found = await rowsOf(t, { [column]: name }, 100)
          same(
            found.map(({ sessionId }) => sessionId),
            [`s${index}`],
            `${column} ${name}`,
          )
        }
        const groups = await groupsOf(t, {}, [column], 100)
        same(groups.map(({ key }) => key[0]).sort(), hostileIds.toSorted(), column)
      }
    },
  },
  {
    id: 'B7.1',
    clause: 'B7',
    title: 'groups are the sums of their rows, under every grouping and filter, whatever the stretches',
    async run(t) {
      const rows = await fill(t)
      for (const filter of filters) {
        for (const by of groupings) {
          const expected = byKey(chosen(rows, filter).map((row) => groupOf(row, by)))
          for (const limit of [4, 1_000]) {
            const said = `${JSON.stringify(filter)} by ${by} in ${limit}`
            same(byKey(await groupsOf(t, filter, by, limit)), expected, said)
          }
        }
      }
    },
  },
  {
    id: 'B7.2',
    clause: 'B7',
    title: 'a key occurs once in a stretch, an absent value is not an empty one, and no rows make no group',
    async run(t) {
      await t.create('s', {
        events: 4,
        usage: [{}, { ownerUserId: undefined }, { ownerUserId: '' }, { ownerUserId: undefined }],
      })
      const { groups, next } = await t.store.rollUpUsage(t.tenant, {
        filter: {},
        by: ['ownerUserId'],
        limit: 10,
      })
      const counted = groups.map(({ key, rows }) => `${key.map((value) => value ?? null)} ${rows}`)
      same([counted.sort(), next], [[' 1', ' 2', 'owner 1'], undefined])
      same(
        groups.filter(({ key }) => key[0] === undefined).map(({ rows }) => rows),
        [2],
      )
      const none = await t.store.rollUpUsage(t.tenant, { filter: { model: 'none' }, by: [], limit: 10 })
      same(none, { groups: [] })
    },
  },
  {
    id: 'B7.3',
    clause: 'B7',
    title: 'sums are exact up to the largest that a number holds, and one past it is refused',
    async run(t) {
      const half = 2 ** 52
      const row = { promptTokens: half, costMicrocents: half, cachedReadTokens: 4_294_967_295 }
      await t.create('s', {
        events: 2,
        usage: [row, { ...row, promptTokens: half - 1, costMicrocents: half - 1 }],
      })
      const exact = {
        rows: 2,
        promptTokens: limits.sum,
        costMicrocents: limits.sum,
        cachedReadTokens: 8_589_934_590,
      }
      const walkBy = { filter: {}, by: [], limit: 10 }
      const { rows, promptTokens, costMicrocents, cachedReadTokens } = await t.store.sumUsage(t.tenant, {})
      same({ rows, promptTokens, costMicrocents, cachedReadTokens }, exact)
      const [group] = (await t.store.rollUpUsage(t.tenant, walkBy)).groups
      same([group?.promptTokens, group?.costMicrocents], [limits.sum, limits.sum])
      await t.create('x', { usage: [{ promptTokens: 0, costMicrocents: 1 }] })
      await rejects(t.store.sumUsage(t.tenant, {}), 'limit_exceeded')
      await rejects(t.store.rollUpUsage(t.tenant, walkBy), 'limit_exceeded')
      same((await t.store.sumUsage(t.tenant, { sessionId: 's' })).costMicrocents, limits.sum)
    },
  },
  {
    id: 'B7.4',
    clause: 'B7',
    title: 'thousands of the largest rows are refused too, not summed wrongly',
    async run(t) {
      const row = { promptTokens: limits.sum, costMicrocents: limits.sum }
      await t.create('s', { events: 1_500, usage: Array.from({ length: 1_500 }, () => row) })
      await rejects(t.store.sumUsage(t.tenant, {}), 'limit_exceeded')
      await rejects(t.store.rollUpUsage(t.tenant, { filter: {}, by: [], limit: 2_000 }), 'limit_exceeded')
    },
  },
]
