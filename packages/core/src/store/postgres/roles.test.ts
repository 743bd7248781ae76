import { tenantId } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commitOf } from '../conformance/build.ts'
import type { Store } from '../store.ts'
import { type Ask, TemporaryPlace } from './testing/place.ts'
import { rewriting } from './testing/rewriting.ts'
import { TemporaryRoles } from './testing/roles.ts'
import { describeSuperuser, freshSchema } from './testing/server.ts'

const tenant = tenantId('t')
const creation = commitOf({ tenantId: tenant, sessionId: 's', baseSeq: 0, create: true })
/** What may be read while no tenant is set. */
const open = ['schema_version', 'tenants']

describeSuperuser('the roles of Postgres', () => {
  let roles: TemporaryRoles
  beforeAll(async () => {
    roles = await TemporaryRoles.make()
  })
  afterAll(() => roles.remove())

  const appPlace = () =>
    new TemporaryPlace({ url: roles.urlOf(roles.app), migrationUrl: roles.urlOf(roles.owner) })

  describe('a role that may read and write', () => {
    let place: TemporaryPlace
    let store: Store
    beforeAll(async () => {
      place = appPlace()
      store = await place.open(undefined)
      await store.commit([creation])
    })
    afterAll(() => place.remove())

    const asApp = <T>(work: (ask: Ask) => Promise<T>) => place.as(roles.urlOf(roles.app), work)

    it('is the one that the store says it is', () => {
      expect(store.info().settings.role).toBe(roles.app)
    })

    it('sees no row of any table but the registries while no tenant is set', async () => {
      const seen = await asApp(async (ask) => {
        const never = await tablesWithRows(place, ask)
        await ask("SELECT set_config('holdfast.tenant', '', false)")
        const empty = await tablesWithRows(place, ask)
        await ask('BEGIN')
        await ask(
          "SELECT set_config('holdfast.tenant', 't', true), set_config('holdfast.words', '''a''', true)",
        )
        const set = await tablesWithRows(place, ask)
        await ask('COMMIT')
        return { never, empty, set, after: await tablesWithRows(place, ask) }
      })
      const set = ['events', 'listings', ...open, 'sessions'].toSorted()
      expect(seen).toEqual({ never: open, empty: open, set, after: open })
    })

    it('writes no row of another tenant than the one that is set', async () => {
      const insert = (tenantOfRow: string) =>
        asApp(async (ask) => {
          await ask("SELECT set_config('holdfast.tenant', 't', false)")
          await ask('INSERT INTO @tombstones VALUES ($1, $2)', [tenantOfRow, 'dead'])
          await ask('INSERT INTO @tenants VALUES ($1) ON CONFLICT DO NOTHING', [tenantOfRow])
        })
      await insert('t')
      await expect(insert('other')).rejects.toThrow('row-level security policy')
      await expect(insert('')).rejects.toThrow('row-level security policy')
    })

    it('finds words of its own tenant only, whatever is asked for', async () => {
      await place.behind(`
        INSERT INTO @search (tenant, session, seq, portion, at, words)
        SELECT t, 's', 1, 0, '', array_to_tsvector(ARRAY['fox', 't:' || t]) FROM unnest(ARRAY['t', 'other']) AS t`)
      const found = (words: string) =>
        asApp(async (ask) => {
          await ask(
            "SELECT set_config('holdfast.tenant', 't', false), set_config('holdfast.words', $1, false)",
            [words],
          )
          return (await ask('SELECT tenant FROM @search')).map((row) => row.tenant)
        })
      expect(await found("'fox'")).toEqual(['t'])
      expect(await found("'t:other'")).toEqual([])
      expect(await found("'fox' | 't:other' | !'nothing'")).toEqual(['t'])
      expect(await found("!'t:t'")).toEqual([])
      expect(await found('')).toEqual([])
    })

    it.each([
      'ALTER TABLE @events DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE @events NO FORCE ROW LEVEL SECURITY',
      'DROP POLICY wall ON @events',
      'CREATE POLICY hole ON @events USING (true)',
      'DROP TABLE @events',
      'TRUNCATE @events',
      'CREATE INDEX ON @events (body)',
      'CREATE TABLE @mine ()',
      'INSERT INTO @schema_version VALUES (2)',
      'UPDATE @schema_version SET version = 2',
      'DELETE FROM @schema_version',
      'ALTER ROLE CURRENT_USER BYPASSRLS',
    ])('may not %s', async (sql) => {
      await expect(asApp((ask) => ask(sql))).rejects.toMatchObject({ code: '42501' })
    })

    it('may not look past the wall, nor take the owner’s role', async () => {
      const past = asApp(async (ask) => {
        await ask('SET row_security = off')
        await ask('SELECT * FROM @events')
      })
      await expect(past).rejects.toThrow('row-level security')
      await expect(asApp((ask) => ask(`SET ROLE ${roles.owner}`))).rejects.toMatchObject({ code: '42501' })
    })

    it('changes no tenant and takes none out of the registry', async () => {
      const changed = await asApp(async (ask) => {
        await ask("SELECT set_config('holdfast.tenant', 't', false)")
        const updated = await ask("UPDATE @tenants SET tenant = 'u' RETURNING tenant")
        return [...updated, ...(await ask('DELETE FROM @tenants RETURNING tenant'))]
      })
      expect(changed).toEqual([])
      expect(await store.listTenants()).toEqual(['t'])
    })
  })

  it('a second role that may read and write gets its rights at the first opening with the owner’s URL', async () => {
    const place = new TemporaryPlace({ url: roles.urlOf(roles.owner) })
    await (await place.open(undefined)).commit([creation])
    const urls = { url: roles.urlOf(roles.app), migrationUrl: roles.urlOf(roles.owner) }
    const second = new TemporaryPlace(urls)
    const store = await second.open(undefined, { schema: place.schema })
    expect((await store.readHead(tenant, 's'))?.seq).toBe(1)
    await second.remove()
    await place.remove()
  })

  it('an owner need not have the right to make schemas when there is one of its own', async () => {
    const place = new TemporaryPlace({ url: roles.urlOf(roles.app) })
    await place.behind(`CREATE SCHEMA ${place.schema} AUTHORIZATION ${roles.app}`)
    await (await place.open(undefined)).commit([creation])
    await place.remove()
  })

  it('an administrator that is no superuser needs a role as a superuser does', async () => {
    const admin = `admin_${roles.app}`
    const place = new TemporaryPlace({ url: roles.urlOf(admin), role: `made_${roles.app}` })
    await place.behind(`CREATE ROLE ${admin} LOGIN PASSWORD '${admin}' BYPASSRLS CREATEROLE`)
    await place.behind(`CREATE SCHEMA ${place.schema} AUTHORIZATION ${admin}`)
    const store = await place.open(undefined)
    await store.commit([creation])
    expect((await store.readHead(tenant, 's'))?.seq).toBe(1)
    await store.close()
    await place.behind(`DROP OWNED BY ${admin}, made_${roles.app} CASCADE`)
    await place.behind(`DROP ROLE ${admin}, made_${roles.app}`)
    await place.remove()
  })

  it('every table has a wall, which holds its owner too', async () => {
    const place = new TemporaryPlace()
    await place.open(undefined)
    const rows = await place.behind(
      `SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
       WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'm', 'v', 'f') ORDER BY relname`,
      [place.schema],
    )
    expect(rows.length).toBeGreaterThan(20)
    expect(rows.filter(({ relrowsecurity }) => !relrowsecurity)).toEqual([])
    const unforced = rows.filter(({ relforcerowsecurity }) => !relforcerowsecurity)
    expect(unforced.map(({ relname }) => relname)).toEqual(['schema_version'])
    await place.remove()
  })

  it('every policy but those of the registries demands a tenant that is set and not empty', async () => {
    const place = new TemporaryPlace()
    await place.open(undefined)
    const policies = await place.behind(
      'SELECT tablename, cmd, permissive, roles, qual, with_check FROM pg_policies WHERE schemaname = $1',
      [place.schema],
    )
    const demand = "(tenant = NULLIF(current_setting('holdfast.tenant'::text, true), ''::text))"
    const lax = policies.filter(({ qual, with_check }) => !`${qual ?? with_check}`.includes(demand))
    expect(lax.map(({ tablename, cmd }) => `${tablename} ${cmd}`).toSorted()).toEqual([
      'schema_version SELECT',
      'tenants SELECT',
    ])
    await place.remove()
  })

  describe('the role that statements run under', () => {
    const opening = async (place: TemporaryPlace, options = {}) => {
      try {
        return (await place.open(undefined, options)).info().settings.role
      } finally {
        await place.remove()
      }
    }
    const refused = { code: 'store_unsupported', message: expect.stringContaining('Row-level security') }

    it('is made once by several that open at once, unable to log in and bound', async () => {
      const made = `made_once_${roles.app}`
      const place = new TemporaryPlace({ role: made })
      const stores = await Promise.all([1, 2, 3, 4].map(() => place.open(undefined)))
      expect(stores.map((store) => store.info().settings.role)).toEqual([made, made, made, made])
      const [role] = await place.behind(
        'SELECT rolcanlogin, rolbypassrls, rolsuper FROM pg_roles WHERE rolname = $1',
        [made],
      )
      expect(role).toEqual({ rolcanlogin: false, rolbypassrls: false, rolsuper: false })
      await Promise.all(stores.map((store) => store.close()))
      await place.behind(`DROP OWNED BY ${made}; DROP ROLE ${made}`)
      await place.remove()
    })

    it.each(['SUPERUSER', 'BYPASSRLS'])('is refused when it has %s', async (attribute) => {
      const place = new TemporaryPlace()
      await place.behind(`ALTER ROLE ${roles.app} ${attribute}`)
      try {
        await expect(opening(new TemporaryPlace({ role: roles.app }))).rejects.toMatchObject(refused)
        await expect(opening(appPlace())).rejects.toMatchObject(refused)
      } finally {
        await place.behind(`ALTER ROLE ${roles.app} NO${attribute}`)
        await place.remove()
      }
    })

    it('is the one that the server gives at login, and not the one that logs in', async () => {
      const whoami = rewriting((sql) => sql.replace(/^SELECT tenant FROM .*/, 'SELECT current_user'))
      const url = new URL(freshSchema().url)
      url.searchParams.set('options', `-c role=${roles.owner}`)
      const place = new TemporaryPlace({ url: url.href, driver: whoami })
      const store = await place.open(undefined)
      expect(store.info().settings.role).toBe(roles.owner)
      expect(await store.listTenants()).toEqual([roles.owner])
      await place.remove()
    })
  })
})

async function tablesWithRows(place: TemporaryPlace, ask: Ask): Promise<string[]> {
  const found: string[] = []
  for (const table of await place.tables()) {
    const [row] = await ask(`SELECT count(*) AS rows FROM @${table}`)
    if (Number(row?.rows) > 0) found.push(table)
  }
  return found
}
