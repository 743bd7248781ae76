import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Commit, Store } from '../store.ts'
import { patienceMs } from './patience.ts'
import { type Ask, TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const tenant = tenantId('t')
const ids = ['a', 'b', 'c', 'd']
/** Patience, and the last wait for a connection that began within it. */
const boundMs = patienceMs + 10_000

describePostgres('a store whose connections are all in use', () => {
  let place: TemporaryPlace
  let store: Store

  beforeEach(async () => {
    place = new TemporaryPlace()
    store = await place.open(undefined, { connections: 2 })
    for (const sessionId of ids) await commit({ sessionId, baseSeq: 0, create: true })
  })
  afterEach(() => place.remove())

  const commit = (of: Pick<Commit, 'sessionId' | 'baseSeq'> & { create?: boolean }) =>
    store.commit([commitOf({ tenantId: tenant, ...of })])

  const seqsOf = async (sessionId: string) => {
    const range = { limit: 9, maxBytes: 1e6, direction: 'forward' } as const
    return (await store.readEvents(tenant, sessionId, range)).map(({ seq }) => seq)
  }

  /** Every statement on sessions stands still meanwhile. */
  async function whileStuck(work: (ask: Ask) => Promise<void>): Promise<void> {
    await place.as(place.url, async (ask) => {
      await ask('BEGIN')
      await ask('LOCK TABLE @sessions IN ACCESS EXCLUSIVE MODE')
      await work(ask)
      await ask('ROLLBACK')
    })
  }

  it('refuses what waits for one in time, and goes on with nothing lost when they are free', {
    timeout: boundMs + 20_000,
  }, async () => {
    let stuck: ReturnType<typeof commit>[] = []
    await whileStuck(async (ask) => {
      stuck = [commit({ sessionId: 'a', baseSeq: 1 }), commit({ sessionId: 'b', baseSeq: 1 })]
      const waiting =
        "SELECT count(*) AS n FROM pg_locks WHERE relation = '@sessions'::regclass AND NOT granted"
      await expect.poll(async () => Number((await ask(waiting))[0]?.n)).toBe(2)
      const begun = performance.now()
      const refused = await Promise.allSettled([
        commit({ sessionId: 'c', baseSeq: 1 }),
        store.readHead(tenant, 'd'),
        commit({ sessionId: 'd', baseSeq: 1 }),
      ])
      expect(performance.now() - begun).toBeLessThan(boundMs + 5_000)
      const busy = { status: 'rejected', reason: { code: 'store_busy', retry: 'later' } }
      expect(refused).toMatchObject([busy, busy, busy])
    })
    for (const outcomes of await Promise.all(stuck)) expect(outcomes).toMatchObject([{ status: 'committed' }])
    expect(await Promise.all(ids.map(seqsOf))).toEqual([[1, 2], [1, 2], [1], [1]])
    for (const sessionId of ['c', 'd']) {
      expect(await commit({ sessionId, baseSeq: 1 })).toMatchObject([{ status: 'committed' }])
    }
    expect(await Promise.all(ids.map(seqsOf))).toEqual(ids.map(() => [1, 2]))
  })

  it('keeps what waits, when one becomes free in time', async () => {
    let waiting: ReturnType<typeof commit>[] = []
    await whileStuck(async () => {
      waiting = ids.map((sessionId) => commit({ sessionId, baseSeq: 1 }))
    })
    for (const outcomes of await Promise.all(waiting)) {
      expect(outcomes).toMatchObject([{ status: 'committed' }])
    }
    expect(await Promise.all(ids.map(seqsOf))).toEqual(ids.map(() => [1, 2]))
  })
})
