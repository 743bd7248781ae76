import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { type Ask, TemporaryPlace } from './testing/place.ts'
import { describeSuperuser, freshSchema } from './testing/server.ts'

const tenant = tenantId('t')
const sessions = Array.from({ length: 20 }, (_, n) => `s${n}`)
const rounds = 1_000
const body = JSON.stringify({ head: 'x'.repeat(400) })

describeSuperuser('a steady load of appends', () => {
  // Of its own, for what others have open in a database keeps its dead rows.
  const { url, schema: database } = freshSchema()
  const place = new TemporaryPlace({ url: Object.assign(new URL(url), { pathname: database }).href })
  beforeEach(() => place.behind(`CREATE DATABASE ${database}`))
  afterEach(async () => {
    await place.closeAll()
    await place.behind(`DROP DATABASE ${database} WITH (FORCE)`)
    await place.remove()
  })

  it('replaces the rows of sessions inside their pages, which do not grow', async () => {
    const store = await place.open(undefined)
    await place.as(place.url, async (ask) => {
      for (let n = 0; n < rounds; n += 1) {
        await round(store, n)
        if (n % 250 === 0) while (await store.indexPending(tenant, () => undefined, 1e9));
        if (n % 100 === 0) await ask('VACUUM @sessions')
      }
      const commits = (rounds - 1) * sessions.length
      await expect.poll(() => statistic(ask, 'n_tup_upd'), { timeout: 20_000 }).toBeGreaterThan(commits)
      const updates = await statistic(ask, 'n_tup_upd')
      const inPage = await statistic(ask, 'n_tup_hot_upd')
      // 0.98 on a server that does nothing else (`npm run bench -- postgres` prints it), less while other tests share it; the
      // promise is that nothing grows.
      expect(inPage / updates).toBeGreaterThan(0.5)
      const [size] = await ask(
        "SELECT pg_table_size('@sessions') AS rows, pg_indexes_size('@sessions') AS indices",
      )
      expect(Number(size?.rows)).toBeLessThan(2 * 1024 * 1024)
      expect(Number(size?.indices)).toBeLessThan(512 * 1024)
      expect(await statistic(ask, 'n_tup_upd', '@listings')).toBe(0)
    })
  })
})

async function round(store: Store, n: number): Promise<void> {
  const head = { body, activity: Math.floor(n / 50) }
  const input = { tenantId: tenant, baseSeq: n, create: n === 0, head }
  const outcomes = await store.commit(sessions.map((sessionId) => commitOf({ ...input, sessionId })))
  expect(outcomes.every(({ status }) => status === 'committed')).toBe(true)
}

async function statistic(ask: Ask, column: string, table = '@sessions'): Promise<number> {
  const [row] = await ask(`SELECT ${column} AS n FROM pg_stat_user_tables WHERE relid = '${table}'::regclass`)
  return Number(row?.n)
}
