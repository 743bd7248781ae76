import { tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import { runStoreConformance, type StoreFixture } from '../conformance/index.ts'
import type { Store } from '../store.ts'
import { citus } from './citus.ts'
import type { PgModule } from './driver.ts'
import { openDatabase } from './open.ts'
import { PostgresStore } from './store.ts'
import { everyOperation } from './testing/every-operation.ts'
import { distribution, TemporaryPlace } from './testing/place.ts'
import { rewriting } from './testing/rewriting.ts'
import { describePostgres } from './testing/server.ts'

/** Writes as on Citus, whatever the schema lies on. */
async function openAsOnCitus(
  { url, schema }: TemporaryPlace,
  clock?: () => number,
  driver: PgModule = pg,
): Promise<Store> {
  const opened = await openDatabase(url, { driver, schema, connections: 4, ...distribution() })
  return new PostgresStore({ ...opened, target: citus }, { clock, search: true })
}

describePostgres('the statements for Citus', () => {
  let place: TemporaryPlace
  beforeAll(() => {
    place = new TemporaryPlace()
  })
  afterAll(() => place.remove())

  const fixture: StoreFixture = {
    name: 'postgres, as on Citus',
    async open({ clock }) {
      const opened: Store[] = []
      const another = async () => {
        const store = await openAsOnCitus(place, clock)
        opened.push(store)
        return store
      }
      const dispose = async () => {
        for (const store of opened) await store.close()
        const tables = (await place.tables()).filter((table) => table !== 'schema_version')
        await place.behind(`TRUNCATE ${tables.map((table) => `@${table}`).join(', ')}`)
      }
      return { store: await another(), another, reopen: another, dispose }
    },
  }
  runStoreConformance(fixture, { test: it })

  it('are a block of an update and inserts of values, and ask of no row who wrote it', async () => {
    let texts: string[] = []
    const driver = rewriting((sql) => {
      texts.push(sql)
      return sql
    })
    const store = await openAsOnCitus(place, () => 1_000, driver)
    await everyOperation(store, tenantId('me@home'), 'id')
    expect(texts.filter((text) => /xmin|pg_current_xact/.test(text))).toEqual([])
    const written = texts.filter((text) => /INSERT INTO \S+\.events\b/.test(text))
    expect(written.length).toBeGreaterThan(0)
    expect(written.filter((text) => !text.includes('VALUES ($1'))).toEqual([])
    expect(texts).toContain("SET LOCAL holdfast.tenant TO 'me@home'")

    const commit = { tenantId: tenantId('t'), sessionId: 's' }
    await store.commit([commitOf({ ...commit, baseSeq: 0, create: true })])
    await store.close()
    texts = []
    const fresh = await openAsOnCitus(place, () => 1_000, driver)
    texts = []
    await fresh.commit([commitOf({ ...commit, baseSeq: 1, events: 2 })])
    const heads = texts.map((text) => text.trim().split(/\s+/).slice(0, 2).join(' '))
    const insert = 'INSERT INTO'
    expect(heads.filter((head) => !/^(SELECT set_config|SET LOCAL)/.test(head)).slice(0, 3)).toEqual([
      'BEGIN',
      `UPDATE "${place.schema}".sessions`,
      insert,
    ])
    await fresh.close()
  })
})
