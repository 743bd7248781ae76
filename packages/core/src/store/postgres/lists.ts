/** Lists of sessions, each a walk along one index: a page costs the same whatever the total. */
import type { TenantId } from '@holdfast/protocol'
import { crcOf } from '../checksum.ts'
import type { DueKind, ListIndex, ListQuery, ListRow } from '../store.ts'
import { most } from './bounds.ts'
import type { Row } from './driver.ts'
import type { Places } from './places.ts'
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

/**
 * Newest activity first: a session that is ahead of its place in the index is passed by there, and comes from all that
 * are ahead, which are few (see `places.ts`). What a list is of stands between these parts.
 */
const IN_PLACE = `
  SELECT * FROM ((
    SELECT l.activity, l.session, ${HEAD} FROM @listings l CROSS JOIN LATERAL (
      SELECT * FROM @sessions WHERE tenant = $1 AND session = l.session AND NOT ahead OFFSET 0
    ) s
    WHERE l.tenant = $1 AND (l.activity, l.session) < ($2::int8, $3)`
const OR_AHEAD = `
    ORDER BY l.activity DESC, l.session DESC LIMIT $4
  ) UNION ALL (
    SELECT s.activity, s.session, ${HEAD} FROM @sessions s
    WHERE s.tenant = $1 AND s.ahead AND (s.activity, s.session) < ($2::int8, $3)`
const NEWEST_FIRST = `
    ORDER BY s.activity DESC, s.session DESC LIMIT $4
  )) found
  ORDER BY activity DESC, session DESC LIMIT $4`

// Looked up for each session: as a join the planner may begin with all that have the value.
const OWNER = '(SELECT l.owner FROM @listings l WHERE l.tenant = $1 AND l.session = s.session)'
const AGENT = '(SELECT l.agent FROM @listings l WHERE l.tenant = $1 AND l.session = s.session)'

const lists: Readonly<Record<ListIndex, List>> = {
  all: {
    sql: `${IN_PLACE} ${OR_AHEAD} ${NEWEST_FIRST}`,
    hasValue: false,
    start: newestFirst,
  },
  owner: {
    sql: `${IN_PLACE} AND l.owner = $5 ${OR_AHEAD} AND ${OWNER} = $5 ${NEWEST_FIRST}`,
    hasValue: true,
    start: newestFirst,
  },
  agent: {
    sql: `${IN_PLACE} AND l.agent = $5 ${OR_AHEAD} AND ${AGENT} = $5 ${NEWEST_FIRST}`,
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

export async function listHeads(
  db: Transactions,
  places: Places,
  tenant: TenantId,
  query: ListQuery,
): Promise<ListRow[]> {
  const { sql, hasValue, start } = lists[query.index]
  const { key, id } = query.after ?? { key: start, id: '' }
  const value = hasValue ? [query.value ?? ''] : []
  const rows = await db.read(tenant, sql, tenant, key, id, Math.min(query.limit, most), ...value)
  if (start === newestFirst) places.noteList(tenant)
  return rows.map(listRowOf)
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
