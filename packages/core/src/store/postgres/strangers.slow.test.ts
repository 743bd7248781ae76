/**
 * The contract once more, where the store is a stranger: its role owns nothing, none of its statements has a condition
 * on the tenant, and a pooler hands each of its transactions to another connection.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runStoreConformance, type StoreFixture } from '../conformance/index.ts'
import { TemporaryPlace } from './testing/place.ts'
import { Pooler } from './testing/pooler.ts'
import { rewriting } from './testing/rewriting.ts'
import { TemporaryRoles } from './testing/roles.ts'
import { describePostgres } from './testing/server.ts'
import { unfiltered } from './testing/unfiltered.ts'

describePostgres('the Postgres store behind a pooler, with its wall alone', () => {
  let roles: TemporaryRoles
  let pooler: Pooler
  let place: TemporaryPlace

  beforeAll(async () => {
    roles = await TemporaryRoles.make()
    const url = roles.urlOf(roles.app)
    pooler = await Pooler.open(url)
    const migrationUrl = roles.urlOf(roles.owner)
    place = new TemporaryPlace({ url: pooler.urlOf(url), migrationUrl, driver: rewriting(unfiltered) })
  })
  afterAll(async () => {
    await place.remove()
    await pooler.close()
    await roles.remove()
  })

  it('is on another connection in each transaction, and on one within', async () => {
    const pid = 'SELECT pg_backend_pid() AS pid'
    const pids = await place.as(place.url, async (ask) => {
      const found: unknown[] = []
      for (const sql of [pid, pid, 'BEGIN', pid, pid, 'COMMIT', pid]) {
        const [row] = await ask(sql)
        if (row) found.push(row.pid)
      }
      return found
    })
    const [first, second, third, same, last] = pids
    expect(same).toBe(third)
    expect(new Set([first, second, third]).size).toBe(3)
    expect(last).not.toBe(third)
  })

  /** One schema for all cases, emptied for each. */
  const fixture: StoreFixture = {
    name: 'postgres behind a pooler',
    async open({ clock }) {
      const another = () => place.open(clock)
      const store = await another()
      await place.empty()
      return { store, another, reopen: another, dispose: () => place.closeAll() }
    },
  }
  runStoreConformance(fixture, { test: it })
})
