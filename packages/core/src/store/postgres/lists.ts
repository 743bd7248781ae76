/** Lists of sessions, each a walk along one index: a page costs the same whatever the total. */
import type { TenantId } from '@holdfast/protocol'
import { crcOf } from '../checksum.ts'
import type { DueKind, ListIndex, ListQuery, ListRow } from '../store.ts'
import { most } from './bounds.ts'
import type { Row } from './driver.ts'
import { leaseOf } from './sessions.ts'
import type { Transactions } from './transactions.ts'

interface List {
  sql: string
  hasValue: boolean
  /** A key before every row's, for a list from its start. */
  start: number
}

const newestFirst = Number.MAX_SAFE_INTEGER
const oldestFirst = Number.MIN_SAFE_INTEGER

const HEAD = 's.seq, s.epoch, s.lease_owner, s.lease_expires, s.head_crc, s.head'
const WITH_ITS_SESSION = 'JOIN @sessions s ON s.tenant = $1 AND s.session = l.session'

const lists: Readonly<Record<ListIndex, List>> = {
  all: {
    sql: `
      SELECT l.activity, l.session, ${HEAD} FROM (
        SELECT activity, session FROM @listings
        WHERE tenant = $1 AND (activity, session) < ($2::int8, $3) ORDER BY activity DESC, session DESC LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.activity DESC, l.session DESC`,
    hasValue: false,
    start: newestFirst,
  },
  owner: {
    sql: `
      SELECT l.activity, l.session, ${HEAD} FROM (
        SELECT activity, session FROM @listings
        WHERE tenant = $1 AND owner = $5 AND (activity, session) < ($2::int8, $3)
        ORDER BY activity DESC, session DESC LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.activity DESC, l.session DESC`,
    hasValue: true,
    start: newestFirst,
  },
  agent: {
    sql: `
      SELECT l.activity, l.session, ${HEAD} FROM (
        SELECT activity, session FROM @listings
        WHERE tenant = $1 AND agent = $5 AND (activity, session) < ($2::int8, $3)
        ORDER BY activity DESC, session DESC LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.activity DESC, l.session DESC`,
    hasValue: true,
    start: newestFirst,
  },
  conversation: {
    sql: `
      SELECT l.created, l.session, ${HEAD} FROM (
        SELECT created, session FROM @listings
        WHERE tenant = $1 AND conversation = $5 AND (created, session) > ($2::int8, $3)
        ORDER BY created, session LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.created, l.session`,
    hasValue: true,
    start: oldestFirst,
  },
  thread: {
    sql: `
      SELECT l.created, l.session, ${HEAD} FROM (
        SELECT created, session FROM @listings
        WHERE tenant = $1 AND thread = $5 AND (created, session) > ($2::int8, $3)
        ORDER BY created, session LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.created, l.session`,
    hasValue: true,
    start: oldestFirst,
  },
  root: {
    sql: `
      SELECT l.created, l.session, ${HEAD} FROM (
        SELECT created, session FROM @listings
        WHERE tenant = $1 AND root = $5 AND (created, session) > ($2::int8, $3)
        ORDER BY created, session LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.created, l.session`,
    hasValue: true,
    start: oldestFirst,
  },
  question: {
    sql: `
      SELECT l.question_asked, l.session, ${HEAD} FROM (
        SELECT question_asked, session FROM @listings
        WHERE tenant = $1 AND question_asked IS NOT NULL AND (question_asked, session) > ($2::int8, $3)
        ORDER BY question_asked, session LIMIT $4
      ) l ${WITH_ITS_SESSION}
      ORDER BY l.question_asked, l.session`,
    hasValue: false,
    start: oldestFirst,
  },
}

const due: Readonly<Record<DueKind, string>> = {
  expiry: `
    SELECT session FROM @listings WHERE tenant = $1 AND expires <= $2 ORDER BY expires, session LIMIT $3 OFFSET $4`,
  question: `
    SELECT session FROM @listings WHERE tenant = $1 AND question_expires <= $2
    ORDER BY question_expires, session LIMIT $3 OFFSET $4`,
  lease: `
    SELECT session FROM @sessions WHERE tenant = $1 AND lease_expires <= $2
    ORDER BY lease_expires, session LIMIT $3 OFFSET $4`,
}

export async function listHeads(db: Transactions, tenant: TenantId, query: ListQuery): Promise<ListRow[]> {
  const { sql, hasValue, start } = lists[query.index]
  const { key, id } = query.after ?? { key: start, id: '' }
  const value = hasValue ? [query.value ?? ''] : []
  return (await db.read(tenant, sql, tenant, key, id, Math.min(query.limit, most), ...value)).map(listRowOf)
}

/** One damaged row must neither hide the others of its page nor pass for a good one. */
function listRowOf([key, sessionId, seq, epoch, owner, expires, crc, body]: Row): ListRow {
  const row = { key: Number(key), sessionId, seq: Number(seq), body, lease: leaseOf([epoch, owner, expires]) }
  return crcOf(body) === Number(crc) ? row : { ...row, damaged: true }
}

export async function listDue(
  db: Transactions,
  tenant: TenantId,
  kind: DueKind,
  atMs: number,
  { limit, skip }: { limit: number; skip: number },
): Promise<string[]> {
  const rows = await db.read(tenant, due[kind], tenant, Math.floor(atMs), Math.min(limit, most), skip)
  return rows.map(([session]) => session as string)
}
