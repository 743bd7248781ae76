/**
 * Totals of a busy place, worked out four times: by the counters in the heads, by the store's sums, by a reference that
 * reads the whole log in the plainest way, and, where there is a file, by SQL of our own on its tables.
 */
import type { SessionEvent } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { type Reference, referenceOf } from '../session/testing/reference.ts'
import type { UsageRow, UsageTotals } from '../store/store.ts'
import { type Holdfast, openHoldfast } from './holdfast.ts'
import type { ActiveSession, AnySession, CreatedSession } from './session-types.ts'
import { eachStore, seededRandom, type TestPlace } from './testing/each-store.ts'
import { assistant, calling, result, user } from './testing/messages.ts'

const lease = { owner: 'worker', ttlMs: 60_000 }

/** Head counters that are sums over the ledger, and their names in its totals. */
const sums = [
  'promptTokens',
  'completionTokens',
  'reasoningTokens',
  'cachedReadTokens',
  'cachedWriteTokens',
  'costMicrocents',
  'costUnknown',
] as const

type Sums = Record<(typeof sums)[number], number>

eachStore('totals', (place) => {
  it('agree with the heads, the log and plain SQL after a busy time', async () => {
    const { holdfast, other } = await busy(place)
    for (const tenant of [holdfast, other]) {
      const sessions = await everySession(tenant)
      const references = new Map<string, Reference>()
      for (const session of sessions) {
        const reference = referenceOf(await wholeLog(session))
        const { counters } = await session.view()
        expect(counters, session.id).toMatchObject(reference.counters)
        const { costEstimated, ...totals } = await tenant.usage.totals({ sessionId: session.id })
        expect(sumsOf(totals), session.id).toEqual(sumsOf(counters))
        expect(costEstimated > 0, session.id).toBe(counters.costEstimated)
        references.set(session.id, reference)
      }
      const all = [...references.values()]
      expect(sumsOf(await tenant.usage.totals())).toEqual(added(all))
      expect(added(all).promptTokens).toBeGreaterThan(0)
      expect(bySession(place, tenant)).toEqual(place.look('SELECT 1') && spentOf(references))
      expect(countedEvents(place, tenant)).toEqual(place.look('SELECT 1') && countsOf(references))
    }
  })

  it('of a tree are those of its sessions, and a fork is billed for nothing of its source', async () => {
    const { holdfast, root, fork } = await busy(place)
    const inTree = (await everySession(holdfast)).filter(({ id }) => id === root || id.startsWith('child'))
    expect(inTree).toHaveLength(3)
    const references = await Promise.all(inTree.map(async (session) => referenceOf(await wholeLog(session))))
    expect(sumsOf(await holdfast.usage.totals({ rootSessionId: root }))).toEqual(added(references))
    const rows = place.look(`SELECT ${sumsInSql} FROM usage WHERE root = '${root}'`)
    if (rows) expect(rows[0]).toMatchObject(added(references))

    const totals = await holdfast.usage.totals({ sessionId: fork.id })
    expect(totals).toMatchObject({ rows: 1, promptTokens: 7, completionTokens: 3 })
    expect((await fork.view()).counters).toMatchObject({ promptTokens: 7, turnCount: 0, roundCount: 0 })
    expect((await fork.view()).counters.messageCount).toBeGreaterThan(0)
  })

  it('are those of the rows, read page by page, each attempt once', async () => {
    const { holdfast } = await busy(place)
    for (const { id } of await everySession(holdfast)) {
      const rows: UsageRow[] = []
      for (let after: number | undefined = 0; after !== undefined; ) {
        const page = await holdfast.usage.list(id, { after, limit: 7 })
        rows.push(...page.rows)
        after = page.next
      }
      expect(new Set(rows.map(({ attemptId }) => attemptId)).size).toBe(rows.length)
      const { rows: count, ...totals } = await holdfast.usage.totals({ sessionId: id })
      expect(rows).toHaveLength(count)
      const add = (name: 'promptTokens' | 'completionTokens') => rows.reduce((sum, row) => sum + row[name], 0)
      expect(totals).toMatchObject({
        promptTokens: add('promptTokens'),
        completionTokens: add('completionTokens'),
        costMicrocents: rows.reduce((sum, row) => sum + (row.costMicrocents ?? 0), 0),
        costUnknown: rows.filter((row) => row.costMicrocents === undefined).length,
      })
    }
  })
})

interface Busy {
  holdfast: Holdfast
  /** The same store for another tenant, with sessions of the same ids. */
  other: Holdfast
  root: string
  fork: CreatedSession
}

/** Sessions of two tenants, worked on at once through two engines: runs, retries, repeats, children, a fork, late rows. */
async function busy(place: TestPlace): Promise<Busy> {
  const opened: Parameters<typeof openHoldfast>[0]['store'][] = []
  const holdfast = await place.open({
    wrap(store) {
      opened.push(store)
      return store
    },
  })
  const [store] = opened
  const second = await openHoldfast({ store: store as (typeof opened)[0], clock: place.clock.now })
  const other = holdfast.forTenant('other')
  await Promise.all([
    ...['a', 'b', 'c'].map((id, n) => work([holdfast, second], id, n)),
    ...['a', 'b'].map((id, n) => work([other, second.forTenant('other')], id, n + 10)),
  ])
  const root = await tree(holdfast)
  const source = await holdfast.sessions.open('a')
  const fork = await source.fork({ id: 'fork' })
  await fork.recordUsage({ attemptId: 'fork-1', promptTokens: 7, completionTokens: 3 })
  await second.close()
  return { holdfast, other, root, fork }
}

/** Turns of a session, by either of two engines in turn. The ledger is written from beside, too. */
async function work(engines: readonly Holdfast[], id: string, seed: number): Promise<void> {
  const random = seededRandom(seed)
  const [first, second] = engines as [Holdfast, Holdfast]
  await (await first.sessions.create({ agentId: 'agent', id })).activate()
  for (let turn = 0; turn < 4; turn++) {
    const session = (await (turn % 2 ? first : second).sessions.open(id)) as ActiveSession
    await session.append(user(`turn ${turn}`))
    const run = await (await session.startRun(lease)).startRound()
    const attempts = Array.from({ length: 3 }, (_, n) => attempt(`${id}-${turn}-${n}`, random))
    // Each is told twice, as by a worker that was not sure.
    await Promise.all([...attempts, ...attempts].map((usage) => run.recordUsage(usage)))
    await run.append(calling(`call-${turn}`))
    await run.append(result(`call-${turn}`))
    await run.completeRound()
    if (turn !== 2) await run.append(assistant('done'))
    await (turn === 2 ? run.fail('broke') : run.complete())
    await Promise.all(
      engines.map(async ({ sessions }, n) => {
        const beside = (await sessions.open(id)) as ActiveSession
        await beside.recordUsage(attempt(`${id}-title-${turn}-${n}`, random))
      }),
    )
  }
  const session = (await first.sessions.open(id)) as ActiveSession
  if (seed % 2) await session.undo()
  const closed = await session.close()
  await closed.recordUsage(attempt(`${id}-late`, random))
  await closed.recordUsage(attempt(`${id}-late`, random))
}

function attempt(attemptId: string, random: () => number): Record<string, unknown> {
  const promptTokens = Math.floor(random() * 10_000)
  const completionTokens = Math.floor(random() * 1_000)
  const cost = random() < 0.7 ? { costMicrocents: Math.floor(random() * 1e9), costSource: 'provider' } : {}
  return {
    attemptId,
    promptTokens,
    completionTokens,
    reasoningTokens: Math.floor(completionTokens / 3),
    cachedReadTokens: Math.floor(promptTokens / 2),
    cachedWriteTokens: Math.floor(promptTokens / 5),
    status: random() < 0.2 ? 'failed' : 'ok',
    estimated: random() < 0.1,
    ...cost,
  }
}

async function tree({ sessions }: Holdfast): Promise<string> {
  const random = seededRandom(99)
  const root = await (await sessions.create({ agentId: 'agent', id: 'root' })).activate()
  const run = await root.startRun(lease)
  await Promise.all(
    ['child-1', 'child-2'].map(async (childId) => {
      await run.spawnChild({ agentId: 'agent', childId })
      const child = (await sessions.open(childId)) as CreatedSession
      for (let n = 0; n < 5; n++) await child.recordUsage(attempt(`${childId}-${n}`, random))
    }),
  )
  await run.recordUsage(attempt('root-1', random))
  return root.id
}

async function everySession({ sessions }: Holdfast): Promise<AnySession[]> {
  const { sessions: listed } = await sessions.list({}, { limit: 100 })
  return Promise.all(listed.map(({ id }) => sessions.open(id)))
}

async function wholeLog(session: AnySession): Promise<SessionEvent[]> {
  const { events, more } = await session.events({ limit: 1_000 })
  expect(more).toBe(false)
  return events
}

function sumsOf(totals: Sums | Omit<UsageTotals, 'costEstimated'>): Sums {
  return Object.fromEntries(sums.map((name) => [name, totals[name]])) as Sums
}

function added(references: readonly Reference[]): Sums {
  const add = (name: string) => references.reduce((sum, { counters }) => sum + Number(counters[name]), 0)
  return Object.fromEntries(sums.map((name) => [name, add(name)])) as Sums
}

const sumsInSql = `
  sum(prompt_tokens) AS promptTokens, sum(completion_tokens) AS completionTokens,
  sum(reasoning_tokens) AS reasoningTokens, sum(cached_read_tokens) AS cachedReadTokens,
  sum(cached_write_tokens) AS cachedWriteTokens, total(cost_microcents) AS costMicrocents,
  sum(cost_microcents IS NULL) AS costUnknown`

/** The ledger's table by session, of those with any row. */
function bySession(place: TestPlace, { tenantId }: Holdfast): Record<string, unknown> | undefined {
  const rows = place.look(`
    SELECT session_id, ${sumsInSql} FROM usage JOIN tenants USING (tenant)
    WHERE tenants.id = '${tenantId}' GROUP BY session_id`)
  return rows && Object.fromEntries(rows.map(({ session_id, ...found }) => [session_id, { ...found }]))
}

function spentOf(references: ReadonlyMap<string, Reference>): Record<string, Sums> {
  return Object.fromEntries([...references].map(([id, reference]) => [id, added([reference])]))
}

/** Turns and rounds by session, counted over the rows of the log that each one holds itself. */
function countedEvents(place: TestPlace, { tenantId }: Holdfast): Record<string, unknown> | undefined {
  const rows = place.look(`
    SELECT sessions.id, sum(type = 'run.completed') AS turnCount, sum(type = 'round.completed') AS roundCount
    FROM events JOIN sessions USING (session) JOIN tenants USING (tenant)
    WHERE tenants.id = '${tenantId}' GROUP BY sessions.id`)
  return rows && Object.fromEntries(rows.map(({ id, ...found }) => [id, { ...found }]))
}

function countsOf(references: ReadonlyMap<string, Reference>): Record<string, unknown> {
  return Object.fromEntries(
    [...references].map(([id, { counters }]) => [
      id,
      { turnCount: counters.turnCount, roundCount: counters.roundCount },
    ]),
  )
}
