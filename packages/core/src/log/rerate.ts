/** What the same rows would have cost under another price book. Nothing is rewritten: rows are never changed. */
import { addCounts, type PriceBook, type UsageRecord } from '@holdfast/protocol'
import { rate } from '../ledger/cost.ts'
import type { LedgerRow, UsageTotals } from '../store/store.ts'
import { addTotals, keyOf, totalsOf } from '../store/usage-totals.ts'
import { groupsOf, type RolledUp, type RollUpOptions, type RollUpPage } from './roll-up.ts'
import type { TenantLog } from './tenant-log.ts'

export interface Rerated extends RolledUp {
  /** Under the other book; what a provider reported stays. */
  rerated: ReratedCost
  /** New less old, of the known costs: a cost that only became known counts whole. */
  differenceMicrocents: number
}

export interface ReratedCost {
  costMicrocents: number
  costUnknown: number
}

interface Sums {
  totals: UsageTotals
  rerated: ReratedCost
}

export async function rerateUsage(
  log: TenantLog,
  book: PriceBook,
  options: RollUpOptions = {},
): Promise<RollUpPage<Rerated>> {
  const { groups, next } = await groupsOf<Sums>(
    options,
    async ({ by, ...walk }) => {
      const stretch = await log.store.listUsage(log.tenantId, walk)
      return {
        groups: stretch.rows.map((row) => ({
          key: keyOf(row, by),
          value: { totals: totalsOf(row), rerated: costOf(row, book) },
        })),
        ...(stretch.next && { next: stretch.next }),
      }
    },
    addSums,
  )
  return { groups: groups.map(({ key, value }) => answerOf(key, value)), ...(next !== undefined && { next }) }
}

/** A row is rated by the prices of its own time. */
function costOf(row: LedgerRow, book: PriceBook): ReratedCost {
  const costSource = row.costSource as UsageRecord['costSource']
  const { costMicrocents } = rate({ ...row, costSource }, book, row.at)
  return { costMicrocents: costMicrocents ?? 0, costUnknown: costMicrocents === undefined ? 1 : 0 }
}

function addSums(a: Sums, b: Sums): Sums {
  return {
    totals: addTotals(a.totals, b.totals),
    rerated: {
      costMicrocents: addCounts(a.rerated.costMicrocents, b.rerated.costMicrocents, 'costMicrocents'),
      costUnknown: a.rerated.costUnknown + b.rerated.costUnknown,
    },
  }
}

function answerOf(key: RolledUp['key'], { totals, rerated }: Sums): Rerated {
  const differenceMicrocents = rerated.costMicrocents - totals.costMicrocents
  return { key, ...totals, rerated, differenceMicrocents }
}
