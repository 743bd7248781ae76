/**
 * Whether the server can read its own rows: each is taken out whole, large values too, by the index of its key. What the
 * server calls damage is told; a row that no index knows is not met.
 */
import type { TenantId } from '@holdfast/protocol'
import type { StoreFinding } from '../store.ts'
import type { SqlValue } from './driver.ts'
import type { Answer } from './flush.ts'
import { paged } from './pages.ts'
import { findAllStep } from './search.ts'
import type { Transactions } from './transactions.ts'

interface Table {
  /** Of the rows after a key: the key, then the length of the whole row. Rows that may be megabytes come a few at a time. */
  sql: string
  start: readonly SqlValue[]
}

const beforeAll = -(2 ** 31)

const tables: Readonly<Record<string, Table>> = {
  sessions: {
    sql: `
      SELECT session, length(r::text) FROM @sessions r WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 200`,
    start: [''],
  },
  listings: {
    sql: `
      SELECT session, length(r::text) FROM @listings r WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 500`,
    start: [''],
  },
  events: {
    sql: `
      SELECT session, seq, length(r::text) FROM @events r WHERE tenant = $1 AND (session, seq) > ($2, $3::int4)
      ORDER BY session, seq LIMIT 500`,
    start: ['', beforeAll],
  },
  bodies: {
    sql: `
      SELECT session, hash, length(r::text) FROM @bodies r WHERE tenant = $1 AND (session, hash) > ($2, $3::bytea)
      ORDER BY session, hash LIMIT 20`,
    start: ['', ''],
  },
  segments: {
    sql: `
      SELECT session, position, length(r::text) FROM @segments r
      WHERE tenant = $1 AND (session, position) > ($2, $3::int4) ORDER BY session, position LIMIT 500`,
    start: ['', beforeAll],
  },
  parts: {
    sql: `
      SELECT session, part, seq, length(r::text) FROM @parts r
      WHERE tenant = $1 AND (session, part, seq) > ($2, $3, $4::int4) ORDER BY session, part, seq LIMIT 200`,
    start: ['', '', beforeAll],
  },
  waypoints: {
    sql: `
      SELECT session, seq, length(r::text) FROM @waypoints r WHERE tenant = $1 AND (session, seq) > ($2, $3::int4)
      ORDER BY session, seq LIMIT 200`,
    start: ['', beforeAll],
  },
  refs: {
    sql: `
      SELECT session, kind, id, seq, length(r::text) FROM @refs r
      WHERE tenant = $1 AND (session, kind, id, seq) > ($2, $3, $4, $5::int4) ORDER BY session, kind, id, seq LIMIT 500`,
    start: ['', '', '', beforeAll],
  },
  keys: {
    sql: `
      SELECT session, key, length(r::text) FROM @keys r WHERE tenant = $1 AND (session, key) > ($2, $3)
      ORDER BY session, key LIMIT 500`,
    start: ['', ''],
  },
  drafts: {
    sql: `
      SELECT session, draft, length(r::text) FROM @drafts r WHERE tenant = $1 AND (session, draft) > ($2, $3)
      ORDER BY session, draft LIMIT 500`,
    start: ['', ''],
  },
  chunks: {
    sql: `
      SELECT session, draft, chunk, length(r::text) FROM @chunks r
      WHERE tenant = $1 AND (session, draft, chunk) > ($2, $3, $4::int4) ORDER BY session, draft, chunk LIMIT 200`,
    start: ['', '', beforeAll],
  },
  checkpoints: {
    sql: `
      SELECT thread, namespace, id, length(r::text) FROM @checkpoints r
      WHERE tenant = $1 AND (thread, namespace, id) > ($2, $3, $4) ORDER BY thread, namespace, id LIMIT 200`,
    start: ['', '', ''],
  },
  attachments: {
    sql: `
      SELECT session, hash, length(r::text) FROM @attachments r WHERE tenant = $1 AND (session, hash) > ($2, $3)
      ORDER BY session, hash LIMIT 20`,
    start: ['', ''],
  },
  records: {
    sql: `
      SELECT kind, id, length(r::text) FROM @records r WHERE tenant = $1 AND (kind, id) > ($2, $3)
      ORDER BY kind, id LIMIT 200`,
    start: ['', ''],
  },
  usage: {
    sql: `
      SELECT at, session, seq, length(r::text) FROM @usage r
      WHERE tenant = $1 AND (at, session, seq) > ($2, $3, $4::int4) ORDER BY at, session, seq LIMIT 500`,
    start: ['', '', beforeAll],
  },
  tombstones: {
    sql: `
      SELECT session, length(r::text) FROM @tombstones r WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 500`,
    start: [''],
  },
  garbage: {
    sql: `
      SELECT session, length(r::text) FROM @garbage r WHERE tenant = $1 AND session > $2 ORDER BY session LIMIT 500`,
    start: [''],
  },
  search: {
    sql: `
      SELECT session, seq, portion, length(r::text) FROM @search r
      WHERE tenant = $1 AND (session, seq, portion) > ($2, $3::int4, $4::int4) ORDER BY session, seq, portion LIMIT 200`,
    start: ['', beforeAll, beforeAll],
  },
  stale_words: {
    sql: `
      SELECT session, seq, length(r::text) FROM @stale_words r WHERE tenant = $1 AND (session, seq) > ($2, $3::int4)
      ORDER BY session, seq LIMIT 500`,
    start: ['', beforeAll],
  },
}

export async function* checkRows(db: Transactions, tenant: TenantId): AsyncGenerator<StoreFinding> {
  for (const [of, { sql, start }] of Object.entries(tables)) {
    yield* paged({ tenant, of, start, page: (after) => readPage(db, tenant, sql, after) })
  }
}

async function readPage(
  db: Transactions,
  tenant: TenantId,
  sql: string,
  after: readonly SqlValue[],
): Promise<{ findings: []; next?: readonly SqlValue[] }> {
  const [, answer] = await db.readAll(tenant, [findAllStep(tenant), { sql, values: [tenant, ...after] }])
  const next = (answer as Answer).rows.at(-1)?.slice(0, after.length)
  return { findings: [], ...(next && { next }) }
}
