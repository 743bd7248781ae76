/** What a steady load leaves behind in Postgres, on a server of its own: whoever else has a transaction open keeps dead rows. */
import { tenantId } from '@holdfast/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commitOf } from '../packages/core/src/store/conformance/build.ts'
import { type Ask, TemporaryPlace } from '../packages/core/src/store/postgres/testing/place.ts'
import type { Store } from '../packages/core/src/store/store.ts'
import { findPrograms } from './postgres/programs.ts'
import { type Postgres, startPostgres } from './postgres/start.ts'

const found = findPrograms()
const why = 'missing' in found ? ` (${found.missing})` : ''
const tenant = tenantId('t')
const sessions = Array.from({ length: 20 }, (_, n) => `s${n}`)
const rounds = 1_000
const body = JSON.stringify({ head: 'x'.repeat(400) })

describe.skipIf('missing' in found)(`a steady load of appends${why}`, () => {
  let server: Postgres
  let place: TemporaryPlace

  beforeEach(async () => {
    server = await startPostgres({ durable: false })
    place = new TemporaryPlace({ url: server.url })
  })
  afterEach(async () => {
    await place.remove()
    await server.remove()
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
      expect(inPage / updates).toBeGreaterThan(0.95)
      const [size] = await ask(
        "SELECT pg_table_size('@sessions') AS rows, pg_indexes_size('@sessions') AS indices",
      )
      expect(Number(size?.rows)).toBeLessThan(512 * 1024)
      expect(Number(size?.indices)).toBeLessThan(256 * 1024)
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
