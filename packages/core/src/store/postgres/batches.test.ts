import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const [ours, theirs] = [tenantId('ours'), tenantId('theirs')]

describePostgres('a batch of several tenants', () => {
  let place: TemporaryPlace
  let store: Store

  beforeEach(async () => {
    place = new TemporaryPlace()
    store = await place.open(() => 1_000)
  })
  afterEach(() => place.remove())

  it('fails for the one whose transaction fails, and is written for the other', async () => {
    await place.behind("ALTER TABLE @events ADD CHECK (tenant <> 'theirs')")
    const create = { sessionId: 's', baseSeq: 0, create: true }
    const [written, failed] = await store.commit([
      commitOf({ ...create, tenantId: ours }),
      commitOf({ ...create, tenantId: theirs }),
    ])
    expect(written).toMatchObject({ status: 'committed' })
    expect(failed).toMatchObject({ status: 'failed', error: { code: 'store_unavailable' } })
    expect(await store.readHead(ours, 's')).toMatchObject({ seq: 1 })
    expect(await store.readHead(theirs, 's')).toBeUndefined()
    expect(await store.listTenants()).toEqual([ours])
  })

  it('tells each its own error when all of them failed, and rejects when it was one transaction', async () => {
    await place.behind('ALTER TABLE @events ADD CHECK (seq < 1)')
    const creation = (tenant: typeof ours, sessionId: string) =>
      commitOf({ tenantId: tenant, sessionId, baseSeq: 0, create: true })
    const outcomes = await store.commit([creation(ours, 's'), creation(theirs, 's')])
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'failed'])
    const ofOne = store.commit([creation(ours, 'a'), creation(ours, 'b')])
    await expect(ofOne).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  it('is written whole when it is larger than one statement takes', async () => {
    const commits = (baseSeq: number) =>
      Array.from({ length: 300 }, (_, n) =>
        commitOf({ tenantId: n % 2 ? ours : theirs, sessionId: `s${n}`, baseSeq, create: baseSeq === 0 }),
      )
    for (const baseSeq of [0, 1]) {
      const outcomes = await store.commit(commits(baseSeq))
      expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set(['committed']))
    }
    expect(await store.readHead(ours, 's299')).toMatchObject({ seq: 2 })
  })
})
