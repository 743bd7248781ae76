import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const tenant = tenantId('t')
const idOf = (n: number) => `s${String(n).padStart(4, '0')}`

describePostgres('places in the lists by activity', () => {
  let place: TemporaryPlace
  let store: Store
  let nowMs: number

  beforeEach(async () => {
    nowMs = 1_000_000
    place = new TemporaryPlace()
    store = await place.open(() => nowMs)
  })
  afterEach(() => place.remove())

  /** Each session gets the activity that is its number and that much more. */
  async function commitAll(count: number, baseSeq: number, more: number): Promise<void> {
    const commits = Array.from({ length: count }, (_, n) => {
      const head = { activity: n + more, agentId: n % 2 ? 'odd' : 'even', ownerUserId: 'u' }
      return commitOf({ tenantId: tenant, sessionId: idOf(n), baseSeq, create: baseSeq === 0, head })
    })
    const outcomes = await store.commit(commits)
    expect(outcomes.every(({ status }) => status === 'committed')).toBe(true)
  }

  const countOf = async (table: string, condition: string) =>
    Number((await place.behind(`SELECT count(*) AS n FROM @${table} WHERE ${condition}`))[0]?.n)
  const ahead = () => countOf('sessions', 'ahead')
  const moved = () => countOf('listings', 'activity >= 10000')

  const list = async (query: Parameters<Store['listHeads']>[1]) =>
    (await store.listHeads(tenant, query)).map(({ key, sessionId }) => `${key} ${sessionId}`)

  it('stay where they are while sessions go on, and the lists tell nothing of it', async () => {
    await commitAll(40, 0, 0)
    await commitAll(10, 1, 10_000)
    expect([await ahead(), await moved()]).toEqual([10, 0])
    const all = Array.from({ length: 40 }, (_, n) => (n < 10 ? 10_000 + n : n))
      .map((activity, n) => ({ activity, n }))
      .sort((a, b) => b.activity - a.activity)
    const linesOf = (some: typeof all) => some.map(({ activity, n }) => `${activity} ${idOf(n)}`)
    expect(await list({ index: 'all', limit: 99 })).toEqual(linesOf(all))
    expect(await list({ index: 'owner', value: 'u', limit: 15 })).toEqual(linesOf(all.slice(0, 15)))
    const odd = all.filter(({ n }) => n % 2)
    const after = { key: odd[2]?.activity ?? 0, id: idOf(odd[2]?.n ?? 0) }
    expect(await list({ index: 'agent', value: 'odd', limit: 9, after })).toEqual(linesOf(odd.slice(3, 12)))
  })

  it('are moved to when a list is read, but for those of the newest activity, and at most once a minute', async () => {
    await commitAll(100, 0, 0)
    await commitAll(100, 1, 10_000)
    await store.listHeads(tenant, { index: 'conversation', value: 'conversation', limit: 1 })
    expect(await ahead()).toBe(100)
    const before = await list({ index: 'all', limit: 200 })
    await expect.poll(ahead).toBe(64)
    expect(await moved()).toBe(36)
    expect(await countOf('sessions', `ahead AND activity < 10036`)).toBe(0)
    expect(await list({ index: 'all', limit: 200 })).toEqual(before)
    await commitAll(100, 2, 20_000)
    await store.listHeads(tenant, { index: 'all', limit: 1 })
    const other = await place.open(() => nowMs)
    await other.close()
    expect(await ahead()).toBe(100)
    nowMs += 60_000
    await store.listHeads(tenant, { index: 'all', limit: 1 })
    await expect.poll(ahead).toBe(64)
  })

  it('are moved to when one handle has moved many sessions, whether or not a list is read', async () => {
    await commitAll(1_025, 0, 0)
    await commitAll(1_024, 1, 10_000)
    await store.close()
    expect(await ahead()).toBe(1_024)
    store = await place.open(() => nowMs)
    await commitAll(1_024, 2, 20_000)
    const last = { sessionId: idOf(1_024), baseSeq: 1, head: { activity: 30_000 } }
    await store.commit([commitOf({ tenantId: tenant, ...last })])
    await store.close()
    expect(await ahead()).toBe(512)
    expect(await countOf('sessions', 'ahead AND activity < 20513')).toBe(0)
    store = await place.open(() => nowMs)
    expect(await list({ index: 'all', limit: 2 })).toEqual([`30000 ${idOf(1_024)}`, `21023 ${idOf(1_023)}`])
  })

  it('are moved to by several handles at once while commits go on, and no list is wrong', async () => {
    await commitAll(200, 0, 0)
    const other = await place.open(() => nowMs)
    for (let round = 1; round <= 4; round += 1) {
      nowMs += 60_000
      await Promise.all([
        commitAll(200, round, round * 10_000),
        store.listHeads(tenant, { index: 'all', limit: 9 }),
        other.listHeads(tenant, { index: 'all', limit: 9 }),
      ])
      const expected = Array.from({ length: 200 }, (_, n) => `${round * 10_000 + 199 - n} ${idOf(199 - n)}`)
      expect(await list({ index: 'all', limit: 999 })).toEqual(expected)
    }
  })
})
