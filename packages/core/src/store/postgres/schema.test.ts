import { afterEach, beforeEach, expect, it } from 'vitest'
import { TemporaryPlace } from './testing/place.ts'
import { describePostgres } from './testing/server.ts'

/** Tables whose rows are no tenant's. */
const registries = ['schema_version']

const tables = `
  SELECT c.relname AS name, c.reloptions AS options, c.relrowsecurity AS walled, c.relforcerowsecurity AS forced
  FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY c.relname`

const columns = `
  SELECT c.relname AS table, a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attcollation <> t.typcollation THEN ' COLLATE "' || l.collname || '"' ELSE '' END
    || CASE WHEN a.attstorage <> t.typstorage THEN ' STORAGE ' || CASE a.attstorage
      WHEN 'm' THEN 'MAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'x' THEN 'EXTENDED' ELSE 'PLAIN' END ELSE '' END
    || CASE WHEN a.attstattarget >= 0 THEN ' STATISTICS ' || a.attstattarget ELSE '' END
    || CASE WHEN a.atthasdef THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) ELSE '' END
    || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' ORDER BY c.relname, a.attnum`

// Since Postgres 18 NOT NULL is a constraint of its own as well.
const constraints = `
  SELECT c.relname AS table, pg_get_constraintdef(k.oid) AS text
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  WHERE c.relnamespace = $1::regnamespace AND k.contype <> 'n' ORDER BY c.relname, k.contype DESC, k.conname`

const indices = `
  SELECT c.relname AS table, pg_get_indexdef(i.indexrelid) || coalesce(' WITH (' || array_to_string(x.reloptions, ', ') || ')', '') AS text
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
  WHERE c.relnamespace = $1::regnamespace AND NOT i.indisprimary ORDER BY c.relname, x.relname`

const policies = `
  SELECT tablename AS table, 'CREATE POLICY ' || policyname || ' ON ' || tablename || ' AS ' || permissive || ' FOR ' || cmd
    || ' TO ' || array_to_string(roles, ', ') || coalesce(' USING (' || qual || ')', '')
    || coalesce(' WITH CHECK (' || with_check || ')', '') AS text
  FROM pg_policies WHERE schemaname = $1 ORDER BY tablename, policyname`

/** Anything that is neither a table nor belongs to one. */
const strays = `
  SELECT relkind::text AS kind, relname AS name FROM pg_class
  WHERE relnamespace = $1::regnamespace AND (relkind NOT IN ('r', 'i') OR relpersistence <> 'p')
  UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = $1::regnamespace
  UNION ALL SELECT 'trigger', t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = $1::regnamespace
  UNION ALL SELECT 'type', typname FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE typnamespace = $1::regnamespace AND typelem = 0 AND c.relkind IS NULL`

/** Keys and indices that do not begin with the tenant. An index of words begins with the words. */
const untenanted = `
  SELECT x.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam
    LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE c.relnamespace = $1::regnamespace AND a.attname IS DISTINCT FROM 'tenant'
    AND (m.amname <> 'gin' OR i.indisunique) AND NOT c.relname = ANY($2)
  ORDER BY 1`

const tenantless = `
  SELECT c.relname AS name FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
  WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r' AND NOT c.relname = ANY($2)
    AND NOT (a.attname = 'tenant' AND a.attnotnull AND EXISTS (
      SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND pg_get_constraintdef(k.oid) LIKE '%(tenant <> ''''::text)%'
    ))`

describePostgres('the schema', () => {
  let place: TemporaryPlace
  beforeEach(async () => {
    place = new TemporaryPlace()
    await place.open(undefined)
  })
  afterEach(() => place.remove())

  const ask = (sql: string, ...more: unknown[]) => place.behind(sql, [place.schema, ...more])
  const names = async (sql: string) => (await ask(sql, registries)).map(({ name }) => name)

  it('that is committed is what the migrations make', async () => {
    await expect(await dump(ask)).toMatchFileSnapshot('./schema.sql')
  })

  it('has tables and their indices, and nothing else', async () => {
    expect(await ask(strays)).toEqual([])
    await place.behind(
      'CREATE SEQUENCE @numbers; CREATE VIEW @seen AS SELECT 1; CREATE UNLOGGED TABLE @lost ()',
    )
    expect((await ask(strays)).map(({ name }) => name).toSorted()).toEqual(['lost', 'numbers', 'seen'])
  })

  it('has a tenant first in every key and every index', async () => {
    expect(await names(untenanted)).toEqual([])
    await place.behind('CREATE INDEX loose ON @events (session)')
    await place.behind('CREATE UNIQUE INDEX looser ON @events ((tenant || session))')
    expect(await names(untenanted)).toEqual(['loose', 'looser'])
  })

  it('has a tenant first in every table, never empty', async () => {
    expect(await names(tenantless)).toEqual([])
    await place.behind('CREATE TABLE @loose (session text); CREATE TABLE @looser (tenant text NOT NULL)')
    expect((await names(tenantless)).toSorted()).toEqual(['loose', 'looser'])
  })
})

type Ask = (sql: string) => Promise<Record<string, unknown>[]>

async function dump(ask: Ask): Promise<string> {
  const textsOf = async (sql: string) => Map.groupBy(await ask(sql), ({ table }) => table)
  const of = {
    columns: await textsOf(columns),
    constraints: await textsOf(constraints),
    indices: await textsOf(indices),
    policies: await textsOf(policies),
  }
  const texts = (await ask(tables)).map(({ name, options, walled, forced }) => {
    const lines = (rows: Record<string, unknown>[] | undefined) => (rows ?? []).map(({ text }) => `${text}`)
    const inside = [...lines(of.columns.get(name)), ...lines(of.constraints.get(name))]
    const storage = options ? ` WITH (${(options as string[]).join(', ')})` : ''
    return [
      `CREATE TABLE ${name} (\n  ${inside.join(',\n  ')}\n)${storage}`,
      ...lines(of.indices.get(name)),
      ...(walled ? [`ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`] : []),
      ...(forced ? [`ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`] : []),
      ...lines(of.policies.get(name)),
    ]
  })
  return texts
    .map((statements) =>
      statements.map((text) => `${text.replace(/\btest_[0-9a-f]{32}\./g, '')};\n`).join(''),
    )
    .join('\n')
}
