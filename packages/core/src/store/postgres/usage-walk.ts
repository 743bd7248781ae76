/**
 * A walk along the ledger. A stretch is found first, by an index alone: the rows between two positions. What the filter
 * says beyond that chooses among them, so that a stretch costs the same whatever it gives.
 */
import type { TenantId } from '@holdfast/protocol'
import type {
  LedgerRow,
  UsageColumn,
  UsageFilter,
  UsageGroup,
  UsageGrouping,
  UsagePosition,
  UsageWalk,
} from '../store.ts'
import { usageOf } from '../usage-rows.ts'
import { most } from './bounds.ts'
import type { Row, SqlValue } from './driver.ts'
import type { Transactions } from './transactions.ts'
import { USAGE_COLUMNS } from './usage.ts'
import { readSums, SUMS } from './usage-sums.ts'

const columns = {
  sessionId: 'session',
  rootSessionId: 'root',
  ownerUserId: 'owner',
  agentId: 'agent',
  providerId: 'provider',
  model: 'model',
  purpose: 'purpose',
} as const satisfies Record<UsageColumn, string>

const groupings = { ...columns, day: 'left(at, 10)' } as const satisfies Record<UsageGrouping, string>

const columnNames = Object.keys(columns) as UsageColumn[]
const groupingNames = Object.keys(groupings) as UsageGrouping[]

/** One text for every filter and grouping: a parameter says whether the column is looked at. */
const CHOSEN = columnNames
  .map(
    (name, index) =>
      `(NOT $${9 + 2 * index}::bool OR ${columns[name]} IS NOT DISTINCT FROM $${10 + 2 * index}::text)`,
  )
  .join(' AND ')

const firstGrouping = 9 + 2 * columnNames.length
const KEYS = groupingNames
  .map((name, index) => `CASE WHEN $${firstGrouping + index}::bool THEN ${groupings[name]} END`)
  .join(', ')
const BY_KEYS = groupingNames.map((_, index) => index + 1).join(', ')

interface Way {
  end: string
  list: string
  rollUp: string
}

const BETWEEN = '(at, session, seq) > ($3, $4, $5::int4) AND (at, session, seq) <= ($6, $7, $8::int4)'
/** The index has the rows in order, but a session's are sorted. */
const IN_ORDER = 'ORDER BY at, session, seq'
const SESSION_ROWS = `@usage WHERE tenant = $1 AND session = $2 AND ${BETWEEN}`
const ROOT_ROWS = `@usage WHERE tenant = $1 AND root = $2 AND ${BETWEEN}`
const TIME_ROWS = `@usage WHERE tenant = $1 AND $2::text IS NULL AND ${BETWEEN}`

const alongSession: Way = {
  end: `SELECT at, session, seq FROM ${SESSION_ROWS} ${IN_ORDER} LIMIT 1 OFFSET $9`,
  list: `SELECT session, ${USAGE_COLUMNS} FROM ${SESSION_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
  rollUp: `SELECT ${KEYS}, ${SUMS} FROM ${SESSION_ROWS} AND ${CHOSEN} GROUP BY ${BY_KEYS}`,
}

const alongRoot: Way = {
  end: `SELECT at, session, seq FROM ${ROOT_ROWS} ${IN_ORDER} LIMIT 1 OFFSET $9`,
  list: `SELECT session, ${USAGE_COLUMNS} FROM ${ROOT_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
  rollUp: `SELECT ${KEYS}, ${SUMS} FROM ${ROOT_ROWS} AND ${CHOSEN} GROUP BY ${BY_KEYS}`,
}

const alongTime: Way = {
  end: `SELECT at, session, seq FROM ${TIME_ROWS} ${IN_ORDER} LIMIT 1 OFFSET $9`,
  list: `SELECT session, ${USAGE_COLUMNS} FROM ${TIME_ROWS} AND ${CHOSEN} ${IN_ORDER}`,
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

export async function listUsage(
  db: Transactions,
  tenant: TenantId,
  walk: UsageWalk,
): Promise<{ rows: LedgerRow[]; next?: UsagePosition }> {
  const { way, values, next } = await stretchOf(db, tenant, walk)
  const rows = await db.read(tenant, way.list, ...values, ...chosenBy(walk.filter))
  return {
    rows: rows.map(([sessionId, ...row]) => ({ ...usageOf(row), sessionId })),
    ...(next && { next }),
  }
}

export async function rollUpUsage(
  db: Transactions,
  tenant: TenantId,
  { by, ...walk }: UsageWalk & { by: readonly UsageGrouping[] },
): Promise<{ groups: UsageGroup[]; next?: UsagePosition }> {
  const { way, values, next } = await stretchOf(db, tenant, walk)
  const looked = groupingNames.map((name) => by.includes(name))
  const rows = await db.read(tenant, way.rollUp, ...values, ...chosenBy(walk.filter), ...looked)
  return { groups: rows.map((row) => groupOf(row, by)), ...(next && { next }) }
}

/** What is written between its two ends while it is walked along belongs to it. */
async function stretchOf(
  db: Transactions,
  tenant: TenantId,
  { filter, after, limit }: UsageWalk,
): Promise<Stretch> {
  const { sessionId, rootSessionId, from = '', until = never } = filter
  const way = sessionId !== undefined ? alongSession : rootSessionId !== undefined ? alongRoot : alongTime
  const start = after && after.at >= from ? after : { at: from, sessionId: '', seq: 0 }
  const rows = [tenant, sessionId ?? rootSessionId, start.at, start.sessionId, start.seq]
  const [last] = await db.read(tenant, way.end, ...rows, until, '', 0, Math.min(limit, most) - 1)
  const next = last && { at: last[0], sessionId: last[1], seq: Number(last[2]) }
  const end = next ?? { at: until, sessionId: '', seq: 0 }
  return { way, values: [...rows, end.at, end.sessionId, end.seq], next }
}

function chosenBy(filter: UsageFilter): SqlValue[] {
  return columnNames.flatMap((name) => [filter[name] !== undefined, filter[name]])
}

function groupOf(row: Row, by: readonly UsageGrouping[]): UsageGroup {
  const key = by.map((name) => row[groupingNames.indexOf(name)] ?? undefined)
  return { ...readSums(row.slice(groupingNames.length)), key }
}
