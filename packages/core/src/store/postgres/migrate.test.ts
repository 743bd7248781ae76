import { tenantId } from '@holdfast/protocol'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { crcOf } from '../checksum.ts'
import { commitOf } from '../conformance/build.ts'
import { Connections } from './connection.ts'
import { migrate, newestOf } from './migrate.ts'
import { type Migration, migrations } from './migrations.ts'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

const next = newestOf(migrations) + 1
const second: Migration = {
  version: next,
  sql: [
    'ALTER TABLE @events ADD COLUMN added int4 NOT NULL DEFAULT 7',
    'CREATE TABLE @more (x int4)',
    'INSERT INTO @more VALUES (1)',
  ],
}
const list = [...migrations, second]
const creation = commitOf({ tenantId: tenantId('t'), sessionId: 's', baseSeq: 0, create: true, events: 3 })

describePostgres('migration', () => {
  let place: TemporaryPlace
  beforeEach(() => {
    place = new TemporaryPlace()
  })
  afterEach(() => place.remove())

  async function furnish(): Promise<void> {
    const store = await place.open(undefined)
    await store.commit([creation])
    await store.close()
  }

  async function migrateWith(used: readonly Migration[]): Promise<number> {
    const { url, schema } = place
    const connections = new Connections({
      driver: pg,
      url,
      schema,
      connections: 1,
      deadlineMs: undefined,
      keepsStatements: true,
    })
    try {
      return await migrate(connections, { grantee: undefined, list: used })
    } finally {
      await connections.close()
    }
  }

  const numbersIn = async (sql: string) => (await place.behind(sql)).map(({ n }) => Number(n))
  const versions = () => numbersIn('SELECT version AS n FROM @schema_version ORDER BY 1')
  const upTo = (version: number) => Array.from({ length: version + 1 }, (_, n) => n)

  it('keeps what was written', async () => {
    await furnish()
    expect(await migrateWith(list)).toBe(next)
    expect(await numbersIn('SELECT added AS n FROM @events')).toEqual([7, 7, 7])
    expect(await numbersIn('SELECT x AS n FROM @more')).toEqual([1])
    expect(await versions()).toEqual(upTo(next))
  })

  it('of the first version keeps every session in its place, from which it moves on', async () => {
    await migrateWith(migrations.slice(0, 1))
    await place.behind(`INSERT INTO @tenants VALUES ('t')`)
    for (const [session, activity] of [
      ['a', 30],
      ['b', 20],
    ] as const) {
      const { head } = commitOf({ tenantId: tenantId('t'), sessionId: session, baseSeq: 0, events: 1 })
      await place.behind(
        `INSERT INTO @sessions (tenant, session, base, seq, indexed, head_crc, head) VALUES ('t', $1, 0, 0, 0, $2, $3)`,
        [session, crcOf(head.body), head.body],
      )
      await place.behind(
        `INSERT INTO @listings (tenant, session, agent, conversation, thread, root, created, activity)
         VALUES ('t', $1, 'a', 'c', 't', 'r', 1, $2)`,
        [session, activity],
      )
    }
    const store = await place.open(undefined)
    const listed = async () =>
      (await store.listHeads(tenantId('t'), { index: 'all', limit: 9 })).map(
        ({ key, sessionId }) => `${key} ${sessionId}`,
      )
    expect(await listed()).toEqual(['30 a', '20 b'])
    const append = commitOf({ tenantId: tenantId('t'), sessionId: 'b', baseSeq: 0, head: { activity: 40 } })
    expect(await store.commit([append])).toMatchObject([{ status: 'committed' }])
    expect(await listed()).toEqual(['40 b', '30 a'])
  })

  it('is done once', async () => {
    await furnish()
    await migrateWith(list)
    expect(await migrateWith(list)).toBe(next)
    expect(await numbersIn('SELECT x AS n FROM @more')).toEqual([1])
  })

  it.each(['nothing', 'an older schema'])('of %s is done once by several at once', async (from) => {
    if (from !== 'nothing') await furnish()
    expect(await Promise.all([1, 2, 3, 4].map(() => migrateWith(list)))).toEqual([next, next, next, next])
    expect(await numbersIn('SELECT x AS n FROM @more')).toEqual([1])
    expect(await versions()).toEqual(upTo(next))
  })

  it('is done once by several stores that open at once', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => place.open(undefined)))
    await stores[0]?.commit([creation])
    for (const store of stores) expect((await store.readHead(tenantId('t'), 's'))?.seq).toBe(3)
  })

  it('that fails half-way leaves the schema as it was', async () => {
    await furnish()
    const before = await place.dump()
    const broken = { version: next, sql: ['CREATE TABLE @more (x int4)', 'INSERT INTO @nowhere VALUES (1)'] }
    await expect(migrateWith([...migrations, broken])).rejects.toMatchObject({ code: '42P01' })
    expect(await place.dump()).toEqual(before)
    expect(await migrateWith(list)).toBe(next)
  })

  it('does not touch a newer schema', async () => {
    await furnish()
    await migrateWith(list)
    const before = await place.dump()
    const refused = { code: 'store_unsupported', details: { version: next, newest: next - 1 } }
    await expect(place.open(undefined)).rejects.toMatchObject(refused)
    await expect(migrateWith(migrations)).rejects.toMatchObject(refused)
    expect(await place.dump()).toEqual(before)
  })

  it('leaves what others have in the schema as it is', async () => {
    await place.behind(`CREATE SCHEMA ${place.schema}; CREATE TABLE @theirs (x int4)`)
    const rights = "SELECT relacl::text AS rights FROM pg_class WHERE oid = '@theirs'::regclass"
    const before = await place.behind(rights)
    await furnish()
    expect(await place.behind(rights)).toEqual(before)
  })

  describe('of a schema with the name', () => {
    it.each(['', '1a', 'a-b', 'a b', 'a"b', "a'b", 'a.b', 'ä', 'a;DROP SCHEMA public', 'a'.repeat(64)])(
      '%j is refused',
      async (schema) => {
        await expect(place.open(undefined, { schema })).rejects.toMatchObject({ code: 'invalid_input' })
      },
    )

    it.each(['_', 'User', 'select', 'a'.repeat(63)])('%j is done', async (schema) => {
      await place.behind(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`)
      const store = await place.open(undefined, { schema })
      await store.commit([creation])
      expect((await store.readHead(tenantId('t'), 's'))?.seq).toBe(3)
      await store.close()
      await place.behind(`DROP SCHEMA "${schema}" CASCADE`)
    })
  })

  it('has numbers from one without a gap', () => {
    expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, n) => n + 1))
  })
})
