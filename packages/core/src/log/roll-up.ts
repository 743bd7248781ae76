/**
 * Roll-ups of the ledger: sums by any of its columns, under filters, page after page. They are added up from the rows each
 * time, stretch after stretch, so that neither the store nor this process is held up by a large ledger. Rows that are
 * written meanwhile may or may not be in the sums; each row is in them once at most.
 */
import { HoldfastError, limits, parseInput, time } from '@holdfast/protocol'
import { FirstGroups, type GroupKey } from '../ledger/first-groups.ts'
import type { UsageColumn, UsageFilter, UsageGrouping, UsagePosition, UsageTotals } from '../store/store.ts'
import { addTotals } from '../store/usage-totals.ts'
import { requestHash } from './key-hash.ts'
import { decodeOpaque, encodeOpaque } from './opaque-cursor.ts'
import { requireKnown } from './option-names.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface RollUpOptions {
  /** Columns to group by. None: one group, of all rows; no group when there is no row. A model is the pair of `providerId` and `model`. */
  by?: readonly UsageGrouping[]
  /** Values that rows must have; null for rows without one, such as those of an erased user. */
  where?: Omit<UsageFilter, 'from' | 'until'>
  /** Not earlier. A date, or an ISO time of whole seconds. */
  from?: string
  /** Earlier. The same. */
  until?: string
  /** Groups in a page. */
  limit?: number
  after?: string
}

/** The sums of one group. */
export interface RolledUp extends UsageTotals {
  /** The value of each column that was grouped by; absent where rows have none. */
  key: { [G in UsageGrouping]?: string }
}

export interface RollUpPage<Group = RolledUp> {
  /** By key. */
  groups: Group[]
  /** Give it as `after`; absent when there is nothing more. */
  next?: string
}

const optionNames: readonly string[] = ['by', 'where', 'from', 'until', 'limit', 'after']

/** One stretch of the ledger, as groups. */
type Stretch<T> = (walk: {
  filter: UsageFilter
  by: readonly UsageGrouping[]
  limit: number
  after?: UsagePosition
}) => Promise<{ groups: readonly { key: GroupKey; value: T }[]; next?: UsagePosition }>

export async function rollUpUsage(log: TenantLog, options: RollUpOptions = {}): Promise<RollUpPage> {
  const stretch: Stretch<UsageTotals> = async (walk) => {
    const { groups, next } = await log.store.rollUpUsage(log.tenantId, walk)
    return { groups: groups.map(({ key, ...value }) => ({ key, value })), ...(next && { next }) }
  }
  const { groups, next } = await groupsOf(options, stretch, addTotals)
  return { groups: groups.map(({ key, value }) => ({ key, ...value })), ...(next !== undefined && { next }) }
}

/** Walks over all the rows that the filter leaves, and keeps the groups of one page. */
export async function groupsOf<T>(
  options: RollUpOptions,
  stretch: Stretch<T>,
  join: (a: T, b: T) => T,
): Promise<RollUpPage<{ key: RolledUp['key']; value: T }>> {
  requireKnown(options, optionNames, 'rollUp')
  const by = checkedGroupings(options.by ?? [])
  const filter = checkedFilter(options)
  const limit = pageLimit(options.limit)
  const bound = requestHash('rollUp', by.join(), filter)
  const isKey = (parts: readonly unknown[]): parts is (string | null)[] =>
    parts.length === by.length && parts.every((part) => part === null || typeof part === 'string')
  const after =
    options.after === undefined
      ? undefined
      : decodeOpaque(options.after, bound, isKey).map((part) => part ?? undefined)

  const found = new FirstGroups<T>(limit + 1, after, join)
  let position: UsagePosition | undefined
  do {
    const walk = { filter, by, limit: limits.ledgerRows, ...(position && { after: position }) }
    const { groups, next } = await stretch(walk)
    for (const { key, value } of groups) found.add(key, value)
    position = next
  } while (position)

  const groups = found.first()
  const page = groups.slice(0, limit)
  const last = page.at(-1)
  return {
    groups: page.map(({ key, value }) => ({ key: named(by, key), value })),
    ...(groups.length > limit &&
      last && {
        next: encodeOpaque(
          last.key.map((part) => part ?? null),
          bound,
        ),
      }),
  }
}

function named(by: readonly UsageGrouping[], key: GroupKey): RolledUp['key'] {
  return Object.fromEntries(
    by.map((name, index) => [name, key[index]]).filter(([, part]) => part !== undefined),
  )
}

/** Whether rows may be without a value. */
const columns: Readonly<Record<UsageColumn, boolean>> = {
  sessionId: false,
  rootSessionId: false,
  ownerUserId: true,
  agentId: false,
  providerId: true,
  model: true,
  purpose: false,
}

function checkedGroupings(by: readonly UsageGrouping[]): readonly UsageGrouping[] {
  for (const [index, name] of by.entries()) {
    if (name !== 'day' && !Object.hasOwn(columns, name)) {
      throw invalid(`by[${index}]: unknown; known are ${Object.keys(columns).join(', ')}, day.`)
    }
    if (by.indexOf(name) !== index) throw invalid(`by[${index}]: ${name} is named twice.`)
  }
  return by
}

/** An unknown filter that was passed over would answer another question than the one asked. */
function checkedFilter({ where = {}, from, until }: RollUpOptions): UsageFilter {
  const given = Object.entries(where).filter(([, value]) => value !== undefined)
  for (const [name, value] of given) {
    if (!Object.hasOwn(columns, name)) {
      throw invalid(`where: unknown filter; known are ${Object.keys(columns).join(', ')}.`)
    }
    if (typeof value !== 'string' && !(value === null && columns[name as UsageColumn])) {
      throw invalid(`where.${name}: expected a text${columns[name as UsageColumn] ? ' or null' : ''}.`)
    }
  }
  return {
    ...Object.fromEntries(given.sort()),
    ...(from !== undefined && { from: wholeSecond(from, 'from') }),
    ...(until !== undefined && { until: wholeSecond(until, 'until') }),
  }
}

/** The beginning that all times within a second share, whatever fraction they have. */
function wholeSecond(text: string, what: string): string {
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text)
  const checked = parseInput(time, isDate ? `${text}T00:00:00Z` : text, what)
  const [second, fraction = ''] = checked.slice(0, -1).split('.')
  if (/[1-9]/.test(fraction)) throw invalid(`${what}: expected a date or a whole second.`)
  return second as string
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid_input', message)
}
