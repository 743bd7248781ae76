/** Lists of sessions, each a walk along one index: a page costs the same whatever the total. */

import type { DueKind, ListIndex, ListQuery, ListRow } from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row } from './driver.ts'
import { listedColumns, listedOf } from './sessions.ts'

interface List {
  sql: string
  hasValue: boolean
  /** A key before every row's, for a list from its start. */
  start: number
}

const newestFirst = Number.MAX_SAFE_INTEGER
const oldestFirst = Number.MIN_SAFE_INTEGER

const lists: Readonly<Record<ListIndex, List>> = {
  all: {
    sql: `
      SELECT ${listedColumns}, activity, id FROM sessions
      WHERE tenant = ? AND (activity, id) < (?, ?) ORDER BY activity DESC, id DESC LIMIT ?`,
    hasValue: false,
    start: newestFirst,
  },
  owner: {
    sql: `
      SELECT ${listedColumns}, activity, id FROM sessions
      WHERE tenant = ? AND owner = ? AND (activity, id) < (?, ?) ORDER BY activity DESC, id DESC LIMIT ?`,
    hasValue: true,
    start: newestFirst,
  },
  agent: {
    sql: `
      SELECT ${listedColumns}, activity, id FROM sessions
      WHERE tenant = ? AND agent = ? AND (activity, id) < (?, ?) ORDER BY activity DESC, id DESC LIMIT ?`,
    hasValue: true,
    start: newestFirst,
  },
  conversation: {
    sql: `
      SELECT ${listedColumns}, created, id FROM sessions
      WHERE tenant = ? AND conversation = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?`,
    hasValue: true,
    start: oldestFirst,
  },
  thread: {
    sql: `
      SELECT ${listedColumns}, created, id FROM sessions
      WHERE tenant = ? AND thread = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?`,
    hasValue: true,
    start: oldestFirst,
  },
  root: {
    sql: `
      SELECT ${listedColumns}, created, id FROM sessions
      WHERE tenant = ? AND root = ? AND (created, id) > (?, ?) ORDER BY created, id LIMIT ?`,
    hasValue: true,
    start: oldestFirst,
  },
  question: {
    sql: `
      SELECT ${listedColumns}, question_asked, id FROM sessions
      WHERE tenant = ? AND question_asked IS NOT NULL AND (question_asked, id) > (?, ?)
      ORDER BY question_asked, id LIMIT ?`,
    hasValue: false,
    start: oldestFirst,
  },
}

const due: Readonly<Record<DueKind, string>> = {
  expiry: 'SELECT id FROM sessions WHERE tenant = ? AND expires <= ? ORDER BY expires, id LIMIT ? OFFSET ?',
  question: `
    SELECT id FROM sessions WHERE tenant = ? AND question_expires <= ?
    ORDER BY question_expires, id LIMIT ? OFFSET ?`,
  lease: `
    SELECT id FROM sessions WHERE tenant = ? AND lease_expires <= ? ORDER BY lease_expires, id LIMIT ? OFFSET ?`,
}

export function listHeads(db: Connection, tenant: number, query: ListQuery): ListRow[] {
  const { sql, hasValue, start } = lists[query.index]
  const { key, id } = query.after ?? { key: start, id: '' }
  const value = hasValue ? [query.value ?? ''] : []
  return db.all(sql, tenant, ...value, key, id, query.limit).map((row) => listRowOf(tenant, row))
}

const keyColumn = 8
const idColumn = 9

/** One damaged row must neither hide the others of its page nor pass for a good one. */
function listRowOf(tenant: number, row: Row): ListRow {
  const key = row[keyColumn]
  const sessionId = row[idColumn]
  const head = listedOf(row, tenant, sessionId)
  if (head) return { key, sessionId, seq: head.seq, body: head.body, lease: head.lease }
  const lease = { epoch: 0, owner: undefined, expiresAtMs: undefined }
  return { key, sessionId, seq: 0, body: '', lease, damaged: true }
}

export function listDue(
  db: Connection,
  tenant: number,
  kind: DueKind,
  atMs: number,
  page: { limit: number; skip: number },
): string[] {
  return db.all(due[kind], tenant, atMs, page.limit, page.skip).map(([id]) => id as string)
}
