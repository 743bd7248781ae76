/**
 * Lists of sessions: one index chosen by the filters, the other filters applied to what it gives, a bounded number of
 * rows looked at per page. A short page with `next` is legal: there may be more behind it. No page counts anything.
 */
import { HoldfastError, limits, parseInput, type SessionStatus, time, toMs } from '@holdfast/protocol'
import type { Lease } from '../session/deciding.ts'
import type { Head } from '../session/state.ts'
import type { ListIndex, ListQuery } from '../store/store.ts'
import { listedHead } from './each-head.ts'
import { requestHash } from './key-hash.ts'
import { decodeOpaque, encodeOpaque } from './opaque-cursor.ts'
import { pageLimit } from './session-read.ts'
import { type SessionSummary, sessionSummary } from './summary-view.ts'
import type { TenantLog } from './tenant-log.ts'

export interface SessionFilters {
  ownerUserId?: string
  agentId?: string
  conversationId?: string
  threadId?: string
  rootSessionId?: string
  parentSessionId?: string
  purpose?: Head['purpose']
  lineage?: Head['lineage']
  /** Judged by the clock of the read. */
  status?: SessionStatus | readonly SessionStatus[]
  channel?: Head['channel']
  model?: string
  providerId?: string
  pinned?: boolean
  held?: boolean
  /** Sessions with an open question: longest waiting first. */
  hasQuestion?: boolean
  /** An ISO time: changed at it or later. */
  updatedSince?: string
}

export interface SessionPage {
  sessions: SessionSummary[]
  /** Sessions in this stretch of the list whose heads are damaged, or of a newer version: nothing can be said of them. Absent: none. */
  damaged?: string[]
  /** Give it as `after`; absent when there is nothing more. */
  next?: string
}

export interface ListOptions {
  limit?: number
  after?: string
}

export type Test = (head: Head, summary: SessionSummary) => boolean

/** Whether a head passes one filter. */
const tests: { [F in keyof SessionFilters]-?: (value: NonNullable<SessionFilters[F]>) => Test } = {
  ownerUserId: (value) => (head) => head.ownerUserId === value,
  agentId: (value) => (head) => head.agentId === value,
  conversationId: (value) => (head) => head.conversationId === value,
  threadId: (value) => (head) => head.threadId === value,
  rootSessionId: (value) => (head) => head.rootSessionId === value,
  parentSessionId: (value) => (head) => head.parentSessionId === value,
  purpose: (value) => (head) => head.purpose === value,
  lineage: (value) => (head) => head.lineage === value,
  status:
    (value) =>
    (_head, { status }) =>
      typeof value === 'string' ? value === status : value.includes(status),
  channel: (value) => (head) => head.channel === value,
  model: (value) => (head) => head.model === value,
  providerId: (value) => (head) => head.providerId === value,
  pinned: (value) => (head) => (head.pinned ?? false) === value,
  held: (value) => (head) => (head.held ?? false) === value,
  hasQuestion: (value) => (head) => (head.question !== undefined) === value,
  updatedSince: (value) => {
    const sinceMs = toMs(parseInput(time, value, 'updatedSince'))
    return (head) => toMs(head.updatedAt) >= sinceMs
  },
}

type Indexes = readonly [keyof SessionFilters, ListIndex][]

/** Newest activity first. */
export const activityIndexes: Indexes = [
  ['ownerUserId', 'owner'],
  ['agentId', 'agent'],
]

/** Narrowest first. */
const indexes: Indexes = [
  ['threadId', 'thread'],
  ['rootSessionId', 'root'],
  ['conversationId', 'conversation'],
  ['hasQuestion', 'question'],
  ...activityIndexes,
]

export async function listSessions(
  log: TenantLog,
  filters: SessionFilters = {},
  options: ListOptions = {},
): Promise<SessionPage> {
  const plan = planList(filters)
  const limit = pageLimit(options.limit)
  const bound = requestHash('list', plan.index, given(filters))
  let after = options.after === undefined ? undefined : decodeListCursor(options.after, bound)
  const sessions: SessionSummary[] = []
  const damaged: string[] = []
  const page = (next?: string): SessionPage => ({
    sessions,
    ...(damaged.length > 0 && { damaged }),
    ...(next !== undefined && { next }),
  })
  let looked = 0
  const { nowMs } = log
  const { heads } = log.engine
  const decode = heads.decode.bind(heads)
  for (;;) {
    const size = Math.min(
      limits.listScanRows - looked,
      plan.tests.length === 0 ? limit + 1 : Math.max(limit + 1, 256),
    )
    const rows = await log.store.listHeads(log.tenantId, {
      ...plan.query,
      limit: size,
      ...(after && { after }),
    })
    for (const row of rows) {
      if (plan.oldestActivity !== undefined && row.key < plan.oldestActivity) return page()
      if (sessions.length === limit) return page(encodeListCursor(after, bound))
      const { head, lease } = listedHead(row, plan.query, decode)
      if (!head) damaged.push(row.sessionId)
      const summary = head && passing(head, lease, plan.tests, nowMs)
      if (summary) sessions.push(summary)
      after = { key: row.key, id: row.sessionId }
      looked += 1
    }
    if (rows.length < size) return page()
    if (looked >= limits.listScanRows) return page(encodeListCursor(after, bound))
  }
}

export interface ListPlan {
  index: ListIndex
  query: Pick<ListQuery, 'index' | 'value'>
  tests: readonly Test[]
  /** Set on lists by activity: no row from this second back can pass, and none after it. */
  oldestActivity: number | undefined
}

export function planList(filters: SessionFilters, among: Indexes = indexes): ListPlan {
  const entries = Object.entries(given(filters))
  for (const [name] of entries) {
    if (!Object.hasOwn(tests, name))
      throw new HoldfastError('invalid_input', `unknown filter; known are ${Object.keys(tests).join(', ')}.`)
  }
  const chosen = among.find(([name]) => filters[name] !== undefined && filters[name] !== false)
  const index = chosen?.[1] ?? 'all'
  const rest = entries.filter(([name]) => name !== chosen?.[0])
  const byActivity = index === 'all' || index === 'owner' || index === 'agent'
  return {
    index,
    query: chosen && index !== 'question' ? { index, value: String(filters[chosen[0]]) } : { index },
    tests: rest.map(([name, value]) =>
      (tests[name as keyof SessionFilters] as (value: unknown) => Test)(value),
    ),
    oldestActivity:
      byActivity && filters.updatedSince !== undefined
        ? Math.floor(toMs(filters.updatedSince) / 1_000)
        : undefined,
  }
}

export function given(filters: SessionFilters): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(filters)
      .filter(([, value]) => value !== undefined)
      .sort(),
  )
}

function passing(
  head: Head,
  lease: Lease,
  filters: readonly Test[],
  nowMs: number,
): SessionSummary | undefined {
  const summary = sessionSummary(head, lease, nowMs)
  return filters.every((test) => test(head, summary)) ? summary : undefined
}

export type Position = NonNullable<ListQuery['after']>

/** Opaque to readers, and good only for the filters it was made with. */
export function encodeListCursor(after: Position | undefined, bound: string): string {
  const { key, id } = after as Position
  return encodeOpaque([key, id], bound)
}

export function decodeListCursor(cursor: string, bound: string): Position {
  const [key, id] = decodeOpaque(cursor, bound, isPosition)
  return { key, id }
}

function isPosition(parts: readonly unknown[]): parts is [key: number, id: string] {
  return Number.isSafeInteger(parts[0]) && typeof parts[1] === 'string'
}
