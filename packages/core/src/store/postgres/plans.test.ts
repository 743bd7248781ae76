import { tenantId } from '@holdfast/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tables } from './migrations.ts'
import { everyOperation } from './testing/every-operation.ts'
import { TemporaryPlace } from './testing/place.ts'
import { type Scan, scansOf, settle, settleForKey } from './testing/plans.ts'
import { rewriting } from './testing/rewriting.ts'
import { describePostgres, roleOfStores } from './testing/server.ts'

const role = roleOfStores()

type Found = Scan & { sql: string }

describePostgres('the plan of every statement', () => {
  let place: TemporaryPlace
  let statements: string[]
  let keys: Map<string, string[]>
  beforeAll(async () => {
    place = new TemporaryPlace()
    statements = await statementsOf(place)
    keys = await keysOf(place)
  })
  afterAll(() => place.remove())

  function scansOfAll(): Promise<Found[]> {
    return place.as(place.url, async (ask) => {
      const found: Found[] = []
      for (const sql of statements) {
        await ask('BEGIN')
        if (isByKey(sql)) await settleForKey(ask, role, 't1')
        else await settle(ask, role, 't1', sql.includes('.search w') ? 'on' : 'off')
        found.push(...(await scansOf(ask, sql)).map((scan) => ({ ...scan, sql })))
        await ask('ROLLBACK')
      }
      return found
    })
  }

  describe.each(['empty', 'full'])('on tables that are %s', (state) => {
    let scans: Found[]
    beforeAll(async () => {
      if (state === 'full') await fill(place)
      scans = await scansOfAll()
    })

    it('walks along an index, and reads no whole table', () => {
      expect(scans.length).toBeGreaterThan(100)
      const whole = scans.filter(({ kind }) => kind === 'Seq Scan')
      expect(whole).toEqual([])
    })

    it('reads of one tenant', () => {
      const loose = scans.filter(
        ({ table, condition }) =>
          !['tenants', 'schema_version'].includes(table) && !names(condition, 'tenant'),
      )
      expect(new Set(loose.map(({ index }) => index))).toEqual(new Set(['search_words']))
    })
  })

  it('reads one row for each key, a bounded page, or what it is about', async () => {
    const loose = (await scansOfAll())
      .filter(({ isLimited }) => !isLimited)
      .filter(({ table, condition }) => !keys.get(table)?.every((column) => names(condition, column)))
      .map(({ table, condition, sql }) => `${table} by ${columns(condition).join(', ')}: ${brief(sql)}`)
    expect(loose.filter((scan) => !walks.some((walk) => scan.startsWith(walk)))).toEqual([])
  })
})

/** What reads more than single rows and pages: all that a statement is about, and what is over at the first row. */
const walks: readonly string[] = [
  'attachments by tenant, session: DELETE FROM @attachments WHERE',
  'checkpoints by tenant, session: DELETE',
  'checkpoints by tenant, thread, namespace: SELECT c.id, c.parent',
  'checkpoints by tenant, thread, namespace, written: UPDATE @checkpoints SET written',
  'chunks by tenant, session: DELETE FROM @chunks WHERE',
  'chunks by tenant, session, draft: DELETE FROM @chunks c',
  'drafts by tenant, session: DELETE FROM @drafts WHERE',
  'drafts by tenant, session: SELECT d.draft, d.run, d.epoch, d.last',
  'events by tenant, session: SELECT page.session, page.hash',
  'keys by tenant, session: DELETE FROM @keys WHERE tenant = $1 AND session = $2',
  'parts by tenant, session, seq: DELETE FROM @parts WHERE',
  'refs by tenant, session, kind, id: ',
  'refs by tenant, session, seq: DELETE FROM @refs WHERE',
  'search by tenant, session, seq: DELETE',
  'search by tenant: DELETE FROM @search WHERE tenant = $1',
  'search by words: ',
  'segments by ',
  'sessions by tenant: SELECT EXISTS',
  'sessions by tenant: UPDATE @sessions SET indexed = base',
  'stale_words by tenant, session: DELETE',
  'stale_words by tenant: DELETE FROM @stale_words WHERE tenant = $1',
  'stale_words by tenant: SELECT EXISTS',
  'tenants by : SELECT tenant FROM @tenants',
  'usage by tenant, root: SELECT count(*)',
  'usage by tenant, session: ',
  'usage by tenant, session, seq: DELETE',
  'usage by tenant: SELECT count(*)',
  'waypoints by tenant, session: DELETE FROM @waypoints WHERE',
  // A stretch of the ledger, between two rows of it.
  'usage by tenant, root: SELECT CASE',
  'usage by tenant, root: SELECT session',
  'usage by tenant: SELECT CASE',
  'usage by tenant: SELECT session',
  // What is ahead of its place in the lists, which is kept little.
  'sessions by tenant: SELECT * FROM (( SELECT l.activity, l.session',
  'sessions by tenant: WITH late AS',
  // A session looked at as it stands, and rebuilt.
  'refs by tenant, session, seq: SELECT r.kind',
  'refs by tenant, session: DELETE FROM @refs r USING unnest',
  // The whole tenant is looked at.
  'attachments by tenant, hash: SELECT body.crc',
  'checkpoints by tenant, thread, namespace: SELECT body.crc',
  'events by tenant, session: WITH RECURSIVE walk',
  'garbage by tenant: ',
  'sessions by tenant: WITH RECURSIVE walk',
  // Erasing some events: an older Postgres reads the session instead of each.
  'attachments by tenant, session: UPDATE @attachments SET is_file = false',
  'events by tenant, session: SELECT e.seq, e.v, e.type, e.at',
  'events by tenant, session: UPDATE @events e SET crc = u.crc',
  'search by tenant, session: DELETE FROM @search WHERE',
  // The attempts of a session within its tree: an older Postgres reads the tree's.
  'usage by tenant, root, session: SELECT count(*)',
]

/** Commits whose only condition is their base run under fewer settings. */
function isByKey(sql: string): boolean {
  return (
    sql.includes('ahead = ahead OR $7') || sql.includes('(seq, head_crc, head, unindexed, ahead, activity) =')
  )
}

function names(condition: string, column: string): boolean {
  return new RegExp(`\\(+${column} |[(, ]${column}[,)]`).test(condition)
}

function columns(condition: string): string[] {
  const named = [...condition.matchAll(/\((\w+) [<>=@]+ /g)].map(([, column]) => column ?? '')
  return [...new Set(named)]
}

function brief(sql: string): string {
  return sql
    .replace(/"test_\w+"\./g, '@')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 100)
}

/** Every statement on rows that the store sends, its tables named. */
async function statementsOf(place: TemporaryPlace): Promise<string[]> {
  const texts = new Set<string>()
  const driver = rewriting((sql) => {
    texts.add(sql)
    return sql
  })
  const store = await place.open(() => 1_000, { driver })
  texts.clear()
  await everyOperation(store, tenantId('t'), 'id')
  await store.resetIndex()
  await store.close()
  await place.empty()
  return [...texts].filter((sql) => sql.includes(place.schema))
}

const valueFor: Readonly<Record<string, string>> = {
  text: "'v' || s",
  int4: 's',
  int8: 's',
  bool: 'true',
  bytea: "decode(md5(s::text), 'hex')",
  tsvector: "array_to_tsvector(ARRAY['v' || s])",
}

/** 20,000 rows in every table, of 200 tenants with 100 sessions each. */
async function fill(place: TemporaryPlace): Promise<void> {
  for (const table of tables) {
    const columns = await place.behind(
      'SELECT column_name AS name, udt_name AS type FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position',
      [place.schema, table],
    )
    const session = isOnePerSession(table) ? "'v' || s" : "'v' || s % 10"
    const values = columns.map(({ name, type }) =>
      name === 'tenant' ? "'t' || t" : name === 'session' ? session : valueFor[String(type)],
    )
    await place.behind(`
      INSERT INTO @${table} SELECT ${values.join(', ')} FROM generate_series(1, 200) AS t, generate_series(1, 100) AS s
      ON CONFLICT DO NOTHING`)
    await place.behind(`ANALYZE @${table}`)
  }
}

function isOnePerSession(table: string): boolean {
  return ['sessions', 'listings', 'tombstones', 'garbage'].includes(table)
}

/** Columns of the primary key of each table. */
async function keysOf(place: TemporaryPlace): Promise<Map<string, string[]>> {
  const rows = await place.behind(
    `SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)
     WHERE c.relnamespace = $1::regnamespace AND i.indisprimary GROUP BY 1`,
    [place.schema],
  )
  return new Map(rows.map(({ table, columns }) => [String(table), columns as string[]]))
}
