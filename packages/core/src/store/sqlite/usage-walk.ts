/**
 * A walk along the ledger. A stretch is found first, by an index alone: the rows between two positions. What the filter
 * says beyond that chooses among them, so that a stretch costs the same whatever it gives.
 */
import type {
  LedgerRow,
  UsageColumn,
  UsageFilter,
  UsageGroup,
  UsageGrouping,
  UsagePosition,
  UsageWalk,
} from '../store.ts'
import type { Connection } from './connection.ts'
import type { Row, SqlValue } from './driver.ts'
import { USAGE_COLUMNS, wholeUsage } from './usage.ts'
import { readSums, SUMS } from './usage-sums.ts'

const columns = {
  sessionId: 'session_id',
  rootSessionId: 'root',
  ownerUserId: 'owner',
  agentId: 'agent',
  providerId: 'provider',
  model: 'model',
  purpose: 'purpose',
} as const satisfies Record<UsageColumn, string>

const groupings = { ...columns, day: 'substr(at, 1, 10)' } as const satisfies Record<UsageGrouping, string>

const columnNames = Object.keys(columns) as UsageColumn[]
const groupingNames = Object.keys(groupings) as UsageGrouping[]

/** One text for every filter and grouping: a parameter says whether the column is looked at. */
const CHOSEN = columnNames.map((name) => `(? = 0 OR ${columns[name]} IS ?)`).join(' AND ')
const KEYS = groupingNames.map((name) => `CASE WHEN ? = 1 THEN ${groupings[name]} END`).join(', ')
const BY_KEYS = groupingNames.map((_, index) => index + 1).join(', ')

interface Way {
  end: string
  list: string
  rollUp: string
}

const BETWEEN = '(at, session_id, seq) > (?, ?, ?) AND (at, session_id, seq) <= (?, ?, ?)'
/** The index has the rows in order, but a session's are sorted. */
const IN_ORDER = 'ORDER BY at, session_id, seq'
const SESSION_ROWS = `usage INDEXED BY usage_session WHERE tenant = ? AND session_id = ? AND ${BETWEEN}`
const ROOT_ROWS = `usage INDEXED BY usage_root WHERE tenant = ? AND root = ? AND ${BETWEEN}`
const TIME_ROWS = `usage INDEXED BY usage_at WHERE tenant = ? AND ${BETWEEN}`

const alongSession: Way = {
  end: `SELECT at, session_id, seq FROM ${SESSION_ROWS} ${IN_ORDER} LIMIT 1 OFFSET ?`,
  list: `SELECT session_id, ${USAGE_COLUMNS} FROM ${SESSION_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
  rollUp: `SELECT ${KEYS}, ${SUMS} FROM ${SESSION_ROWS} AND ${CHOSEN} GROUP BY ${BY_KEYS}`,
}

const alongRoot: Way = {
  end: `SELECT at, session_id, seq FROM ${ROOT_ROWS} ${IN_ORDER} LIMIT 1 OFFSET ?`,
  list: `SELECT session_id, ${USAGE_COLUMNS} FROM ${ROOT_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
  rollUp: `SELECT ${KEYS}, ${SUMS} FROM ${ROOT_ROWS} AND ${CHOSEN} GROUP BY ${BY_KEYS}`,
}

const alongTime: Way = {
  end: `SELECT at, session_id, seq FROM ${TIME_ROWS} ${IN_ORDER} LIMIT 1 OFFSET ?`,
  list: `SELECT session_id, ${USAGE_COLUMNS} FROM ${TIME_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
  rollUp: `SELECT ${KEYS}, ${SUMS} FROM ${TIME_ROWS} AND ${CHOSEN} GROUP BY ${BY_KEYS}`,
}

/** Sorts after every time. */
const never = '~'

interface Stretch {
  way: Way
  /** Of the rows between its two ends. */
  values: SqlValue[]
  next: UsagePosition | undefined
}

export function listUsage(
  db: Connection,
  tenant: number,
  walk: UsageWalk,
): { rows: LedgerRow[]; next?: UsagePosition } {
  const { way, values, next } = stretchOf(db, tenant, walk)
  const rows = db.all(way.list, ...values, ...chosenBy(walk.filter))
  return {
    rows: rows.map(([sessionId, ...row]) => ({ ...wholeUsage(tenant, sessionId, row), sessionId })),
    ...(next && { next }),
  }
}

export function rollUpUsage(
  db: Connection,
  tenant: number,
  { by, ...walk }: UsageWalk & { by: readonly UsageGrouping[] },
): { groups: UsageGroup[]; next?: UsagePosition } {
  const { way, values, next } = stretchOf(db, tenant, walk)
  const looked = groupingNames.map((name) => (by.includes(name) ? 1 : 0))
  const rows = db.all(way.rollUp, ...looked, ...values, ...chosenBy(walk.filter))
  return { groups: rows.map((row) => groupOf(row, by)), ...(next && { next }) }
}

function stretchOf(db: Connection, tenant: number, { filter, after, limit }: UsageWalk): Stretch {
  const { sessionId, rootSessionId, from = '', until = never } = filter
  const [way, named] =
    sessionId !== undefined
      ? [alongSession, [sessionId]]
      : rootSessionId !== undefined
        ? [alongRoot, [rootSessionId]]
        : [alongTime, []]
  const start = after && after.at >= from ? after : { at: from, sessionId: '', seq: 0 }
  const rows = [tenant, ...named, start.at, start.sessionId, start.seq]
  const last = db.get(way.end, ...rows, until, '', 0, limit - 1)
  const next = last && { at: last[0], sessionId: last[1], seq: last[2] }
  const end = next ?? { at: until, sessionId: '', seq: 0 }
  return { way, values: [...rows, end.at, end.sessionId, end.seq], next }
}

function chosenBy(filter: UsageFilter): SqlValue[] {
  return columnNames.flatMap((name) => [filter[name] === undefined ? 0 : 1, filter[name] ?? null])
}

function groupOf(row: Row, by: readonly UsageGrouping[]): UsageGroup {
  const key = by.map((name) => row[groupingNames.indexOf(name)] ?? undefined)
  return { ...readSums(row.slice(groupingNames.length)), key }
}
