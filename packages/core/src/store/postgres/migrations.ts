/**
 * The schema, one numbered text per version. A published text is never edited: a database that was made by it is out
 * there. `@name` stands for the table `name` in the store's schema.
 *
 * Tenant and session lead every key, so that the tables can be distributed or partitioned by them; nothing counts by a
 * sequence. What every commit changes lies in `sessions`, of which only the lease's end and two flags are indexed, so that
 * its rows are replaced inside their page; what lists walk along lies in `listings`. `activity` is told of a session
 * that is `ahead` of its place there.
 * Text compares by its bytes.
 *
 * The wall around `search` shows what matches the words that are set, and no more: its own condition is the only one
 * that may use the index of words, for row-level security lets no condition of a query see a row before it.
 */
export interface Migration {
  version: number
  sql: readonly string[]
}

/** Tables with the same wall. */
const walledAlike: readonly string[] = [
  'attachments',
  'bodies',
  'checkpoints',
  'chunks',
  'drafts',
  'events',
  'garbage',
  'keys',
  'listings',
  'parts',
  'records',
  'refs',
  'segments',
  'sessions',
  'stale_words',
  'tombstones',
  'usage',
  'waypoints',
]

/** All that the store's own role reads and writes. */
export const tables: readonly string[] = [...walledAlike, 'search', 'tenants']

export const migrations: readonly Migration[] = [
  {
    version: 1,
    sql: [
      `
CREATE TABLE @tenants (
  tenant text COLLATE "C" PRIMARY KEY CHECK (tenant <> '')
)`,
      `
CREATE TABLE @sessions (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  base int4 NOT NULL,
  seq int4 NOT NULL,
  erased int4 NOT NULL DEFAULT 0,
  epoch int4 NOT NULL DEFAULT 0,
  indexed int4 NOT NULL,
  unindexed bool NOT NULL DEFAULT true,
  lease_expires int8,
  lease_owner text,
  head_crc int8 NOT NULL,
  head text NOT NULL,
  PRIMARY KEY (tenant, session)
) WITH (fillfactor = 50, toast_tuple_target = 8160, autovacuum_vacuum_scale_factor = 0.05)`,
      'ALTER TABLE @sessions ALTER COLUMN head SET STORAGE MAIN',
      `CREATE INDEX sessions_due_lease ON @sessions (tenant, lease_expires, session) WHERE lease_expires IS NOT NULL`,
      `CREATE INDEX sessions_unindexed ON @sessions (tenant, session) WHERE unindexed`,
      `
CREATE TABLE @listings (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  agent text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  conversation text COLLATE "C" NOT NULL,
  thread text COLLATE "C" NOT NULL,
  root text COLLATE "C" NOT NULL,
  created int8 NOT NULL,
  activity int8 NOT NULL,
  question_asked int8,
  question_expires int8,
  expires int8,
  PRIMARY KEY (tenant, session)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)`,
      `CREATE INDEX listings_all ON @listings (tenant, activity, session)`,
      `CREATE INDEX listings_owner ON @listings (tenant, owner, activity, session) WHERE owner IS NOT NULL`,
      `CREATE INDEX listings_agent ON @listings (tenant, agent, activity, session)`,
      `CREATE INDEX listings_conversation ON @listings (tenant, conversation, created, session)`,
      `CREATE INDEX listings_thread ON @listings (tenant, thread, created, session)`,
      `CREATE INDEX listings_root ON @listings (tenant, root, created, session)`,
      `CREATE INDEX listings_question ON @listings (tenant, question_asked, session) WHERE question_asked IS NOT NULL`,
      `CREATE INDEX listings_due_expiry ON @listings (tenant, expires, session) WHERE expires IS NOT NULL`,
      `CREATE INDEX listings_due_question ON @listings (tenant, question_expires, session) WHERE question_expires IS NOT NULL`,
      `
CREATE TABLE @events (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  v int4 NOT NULL,
  crc int8 NOT NULL,
  bytes int4 NOT NULL,
  type text COLLATE "C" NOT NULL,
  at text COLLATE "C" NOT NULL,
  commit_id text COLLATE "C" NOT NULL,
  aside bytea,
  body text COLLATE "C",
  PRIMARY KEY (tenant, session, seq)
) WITH (toast_tuple_target = 8160)`,
      `CREATE INDEX events_aside ON @events (tenant, session, aside) WHERE aside IS NOT NULL`,
      `
CREATE TABLE @bodies (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  hash bytea NOT NULL,
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session, hash)
)`,
      'ALTER TABLE @bodies ALTER COLUMN body SET STORAGE EXTERNAL',
      `
CREATE TABLE @segments (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  position int4 NOT NULL,
  source text COLLATE "C" NOT NULL,
  first int4 NOT NULL,
  last int4 NOT NULL,
  PRIMARY KEY (tenant, session, position)
)`,
      `CREATE INDEX segments_source ON @segments (tenant, source, session)`,
      `
CREATE TABLE @parts (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  part text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  crc int8,
  body text COLLATE "C",
  PRIMARY KEY (tenant, session, part, seq)
)`,
      `
CREATE TABLE @waypoints (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  crc int8 NOT NULL,
  head text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session, seq)
)`,
      `
CREATE TABLE @refs (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  PRIMARY KEY (tenant, session, kind, id, seq)
)`,
      `
CREATE TABLE @keys (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  first int4 NOT NULL,
  last int4 NOT NULL,
  expires int8 NOT NULL,
  PRIMARY KEY (tenant, session, key)
)`,
      `CREATE INDEX keys_expires ON @keys (tenant, expires)`,
      `
CREATE TABLE @drafts (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  draft text COLLATE "C" NOT NULL,
  run text COLLATE "C" NOT NULL,
  epoch int4 NOT NULL,
  last int4 NOT NULL,
  PRIMARY KEY (tenant, session, draft)
) WITH (fillfactor = 50)`,
      `
CREATE TABLE @chunks (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  draft text COLLATE "C" NOT NULL,
  chunk int4 NOT NULL,
  kind text COLLATE "C" NOT NULL,
  text text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session, draft, chunk)
)`,
      `
CREATE TABLE @checkpoints (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  thread text COLLATE "C" NOT NULL,
  namespace text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  parent text COLLATE "C",
  seq int4 NOT NULL,
  written int8 NOT NULL,
  channels text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, thread, namespace, id)
)`,
      `CREATE INDEX checkpoints_newest ON @checkpoints (tenant, thread, namespace, written)`,
      `CREATE INDEX checkpoints_session ON @checkpoints (tenant, session)`,
      `
CREATE TABLE @attachments (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  hash text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  is_file bool NOT NULL,
  crc int8 NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (tenant, session, hash)
)`,
      'ALTER TABLE @attachments ALTER COLUMN bytes SET STORAGE EXTERNAL',
      `
CREATE TABLE @records (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  kind text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version int4 NOT NULL,
  key text COLLATE "C",
  body text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, kind, id)
)`,
      `CREATE INDEX records_key ON @records (tenant, kind, key, id) WHERE key IS NOT NULL`,
      `
CREATE TABLE @usage (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  position int4 NOT NULL,
  attempt text COLLATE "C" NOT NULL,
  at text COLLATE "C" NOT NULL,
  run text COLLATE "C",
  root text COLLATE "C" NOT NULL,
  owner text COLLATE "C",
  agent text COLLATE "C" NOT NULL,
  provider text COLLATE "C",
  model text COLLATE "C",
  purpose text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  prompt_tokens int8 NOT NULL,
  completion_tokens int8 NOT NULL,
  reasoning_tokens int8 NOT NULL,
  cached_read_tokens int8 NOT NULL,
  cached_write_tokens int8 NOT NULL,
  cost_microcents int8,
  cost_source text COLLATE "C" NOT NULL,
  price_book text COLLATE "C",
  estimated bool NOT NULL
)`,
      `CREATE INDEX usage_session ON @usage (tenant, session, seq)`,
      `CREATE INDEX usage_root ON @usage (tenant, root, at, session, seq)`,
      `CREATE INDEX usage_at ON @usage (tenant, at, session, seq)`,
      `
CREATE TABLE @tombstones (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session)
)`,
      `
CREATE TABLE @garbage (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, session)
)`,
      `
CREATE TABLE @search (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  portion int4 NOT NULL,
  at text COLLATE "C" NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (tenant, session, seq, portion)
)`,
      `CREATE INDEX search_words ON @search USING gin (words)`,
      `
CREATE TABLE @stale_words (
  tenant text COLLATE "C" NOT NULL CHECK (tenant <> ''),
  session text COLLATE "C" NOT NULL,
  seq int4 NOT NULL,
  PRIMARY KEY (tenant, session, seq)
)`,
      ...walls(walledAlike),
      'ALTER TABLE @tenants ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE @tenants FORCE ROW LEVEL SECURITY',
      'CREATE POLICY registry ON @tenants FOR SELECT USING (true)',
      `CREATE POLICY wall ON @tenants FOR INSERT WITH CHECK (tenant = nullif(current_setting('holdfast.tenant', true), ''))`,
      'ALTER TABLE @search ENABLE ROW LEVEL SECURITY',
      'ALTER TABLE @search FORCE ROW LEVEL SECURITY',
      `CREATE POLICY found ON @search FOR SELECT USING (
        tenant = nullif(current_setting('holdfast.tenant', true), '')
        AND words @@ nullif(current_setting('holdfast.words', true), '')::tsquery
      )`,
      `CREATE POLICY added ON @search FOR INSERT WITH CHECK (tenant = nullif(current_setting('holdfast.tenant', true), ''))`,
      `CREATE POLICY dropped ON @search FOR DELETE USING (tenant = nullif(current_setting('holdfast.tenant', true), ''))`,
    ],
  },
  {
    version: 2,
    sql: [
      `ALTER TABLE @sessions ADD COLUMN ahead bool NOT NULL DEFAULT false, ADD COLUMN activity int8`,
      `CREATE INDEX sessions_ahead ON @sessions (tenant, session) WHERE ahead`,
      `ALTER TABLE @sessions SET (fillfactor = 35)`,
      sampledBriefly('events', 'session seq v crc bytes type at commit_id aside body'),
      sampledBriefly('bodies', 'session hash body'),
      sampledBriefly('search', 'session seq portion at words'),
    ],
  },
  {
    version: 3,
    sql: [`ALTER TABLE @usage ADD COLUMN cached_write_hour_tokens int8`],
  },
]

/**
 * For a table that grows with the logs: no row that was replaced meanwhile, in any table, can make room before its sample
 * is taken, and thirty thousand rows take seconds. The statements walk along keys whatever the statistics say.
 */
function sampledBriefly(table: string, columns: string): string {
  const actions = ['tenant', ...columns.split(' ')].map((column) => `ALTER COLUMN ${column} SET STATISTICS 1`)
  return `ALTER TABLE @${table} ${actions.join(', ')}`
}

/** A row is seen and written only while its tenant is set, by the tables' owner too. */
function walls(tables: readonly string[]): string[] {
  return tables.flatMap((table) => [
    `ALTER TABLE @${table} ENABLE ROW LEVEL SECURITY`,
    `ALTER TABLE @${table} FORCE ROW LEVEL SECURITY`,
    `CREATE POLICY wall ON @${table} USING (tenant = nullif(current_setting('holdfast.tenant', true), ''))`,
  ])
}
