/** Lists of sessions: filter, sort, cut. */
import type { DueKind, HeadRow, ListIndex, ListQuery, ListRow } from '../store.ts'
import type { KeptSession, KeptTenant } from './place.ts'
import { headOf } from './reads.ts'

interface Order {
  /** What `ListQuery.value` is compared with; none for lists without a value. */
  value?: (head: HeadRow) => string | undefined
  key: (head: HeadRow) => number | undefined
  sign: 1 | -1
}

const newestActivity = { key: (head: HeadRow) => head.activity, sign: -1 } as const
const oldestCreation = { key: (head: HeadRow) => head.createdAtMs, sign: 1 } as const

const orders: Record<ListIndex, Order> = {
  all: newestActivity,
  owner: { ...newestActivity, value: (head) => head.ownerUserId },
  agent: { ...newestActivity, value: (head) => head.agentId },
  conversation: { ...oldestCreation, value: (head) => head.conversationId },
  thread: { ...oldestCreation, value: (head) => head.threadId },
  root: { ...oldestCreation, value: (head) => head.rootSessionId },
  question: { key: (head) => head.questionAskedAtMs, sign: 1 },
}

export function listHeads(tenant: KeptTenant, query: ListQuery): ListRow[] {
  const { value, key, sign } = orders[query.index]
  const rows: ListRow[] = []
  for (const session of tenant.sessions.values()) {
    const rowKey = key(session.head)
    if (rowKey === undefined || (value && value(session.head) !== query.value)) continue
    rows.push({ ...headOf(session), key: rowKey })
  }
  const compare = (a: Position, b: Position) => sign * comparePositions(a, b)
  rows.sort((a, b) => compare(positionOf(a), positionOf(b)))
  const { after } = query
  const rest = after ? rows.filter((row) => compare(positionOf(row), after) > 0) : rows
  return rest.slice(0, query.limit)
}

interface Position {
  key: number
  id: string
}

function positionOf(row: ListRow): Position {
  return { key: row.key, id: row.sessionId }
}

function comparePositions(a: Position, b: Position): number {
  return a.key - b.key || compareIds(a.id, b.id)
}

/** By UTF-8 bytes, as databases compare; JavaScript's own order differs beyond U+FFFF. */
export function compareIds(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const dueTimes: Record<DueKind, (session: KeptSession) => number | undefined> = {
  expiry: ({ head }) => head.expiresAtMs,
  question: ({ head }) => head.questionExpiresAtMs,
  lease: ({ lease }) => lease.expiresAtMs,
}

export function listDue(
  tenant: KeptTenant,
  kind: DueKind,
  atMs: number,
  page: { limit: number; skip: number },
): string[] {
  const due: Position[] = []
  for (const session of tenant.sessions.values()) {
    const key = dueTimes[kind](session)
    if (key !== undefined && key <= atMs) due.push({ key, id: session.sessionId })
  }
  return due
    .sort(comparePositions)
    .slice(page.skip, page.skip + page.limit)
    .map(({ id }) => id)
}
