/** The ledger: rows of all sessions, chosen, put in order and added up anew each time. */

import type {
  LedgerRow,
  UsageColumn,
  UsageGroup,
  UsageGrouping,
  UsagePosition,
  UsageTotals,
  UsageWalk,
} from '../store.ts'
import type { UsageScope } from '../usage-rows.ts'
import { addTotals, keyOf, noUsage, totalsOf } from '../usage-totals.ts'
import { compareIds } from './lists.ts'
import type { KeptTenant } from './place.ts'

export function sumUsage(tenant: KeptTenant, scope: UsageScope): UsageTotals {
  return ledgerOf(tenant)
    .filter((row) => isIn(row, scope))
    .map(totalsOf)
    .reduce(addTotals, noUsage())
}

export function listUsage(
  tenant: KeptTenant,
  { filter, after, limit }: UsageWalk,
): { rows: LedgerRow[]; next?: UsagePosition } {
  const { from, until, ...rest } = filter
  const { sessionId, rootSessionId } = filter
  const scope = sessionId === undefined ? { rootSessionId } : { sessionId }
  const looked = ledgerOf(tenant)
    .filter((row) => isIn(row, scope))
    .filter(({ at }) => (from === undefined || at >= from) && (until === undefined || at < until))
    .filter((row) => after === undefined || comparePositions(row, after) > 0)
    .sort(comparePositions)
    .slice(0, limit)
  const last = looked.length === limit ? looked.at(-1) : undefined
  const next = last && { at: last.at, sessionId: last.sessionId, seq: last.seq }
  return { rows: looked.filter((row) => isIn(row, rest)), ...(next && { next }) }
}

export function rollUpUsage(
  tenant: KeptTenant,
  { by, ...walk }: UsageWalk & { by: readonly UsageGrouping[] },
): { groups: UsageGroup[]; next?: UsagePosition } {
  const { rows, next } = listUsage(tenant, walk)
  const groups = new Map<string, UsageGroup>()
  for (const row of rows) {
    const key = keyOf(row, by)
    const name = JSON.stringify(key.map((value) => value ?? null))
    groups.set(name, { ...addTotals(groups.get(name) ?? noUsage(), totalsOf(row)), key })
  }
  return { groups: [...groups.values()], ...(next && { next }) }
}

function ledgerOf({ usage }: KeptTenant): LedgerRow[] {
  return [...usage].flatMap(([sessionId, rows]) => rows.map((row) => ({ ...row, sessionId })))
}

function isIn(row: LedgerRow, filter: { [C in UsageColumn]?: string | null | undefined }): boolean {
  return Object.entries(filter).every(
    ([name, value]) => value === undefined || (row[name as UsageColumn] ?? null) === value,
  )
}

function comparePositions(a: UsagePosition, b: UsagePosition): number {
  return compareIds(a.at, b.at) || compareIds(a.sessionId, b.sessionId) || a.seq - b.seq
}
