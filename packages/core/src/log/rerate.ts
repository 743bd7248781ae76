/** What the same rows would have cost under another price book. Nothing is rewritten: rows are never changed. */
import { addCounts, type PriceBook, parseInput, priceBook, type UsageRecord } from '@holdfast/protocol'
import { rate } from '../ledger/cost.ts'
import type { LedgerRow, UsageTotals } from '../store/store.ts'
import { addTotals, keyOf, totalsOf } from '../store/usage-totals.ts'
import { groupsOf, type RolledUp, type RollUpOptions, type RollUpPage } from './roll-up.ts'
import type { TenantLog } from './tenant-log.ts'

export interface Rerated extends RolledUp {
  /** Under the other book; what a provider reported stays. */
  rerated: ReratedCost
  /** New less old, of the rows whose cost is known under both. */
  differenceMicrocents: number
  /** Rows whose cost only the other book knows, and rows whose cost it does not know any more. */
  becameKnown: number
  becameUnknown: number
}

export interface ReratedCost {
  costMicrocents: number
  costUnknown: number
}

interface Sums {
  totals: UsageTotals
  changes: Changes
}

/** Costs of what is known under both books, the old and the new one. */
interface Changes extends ReratedCost {
  knownBefore: number
  knownAfter: number
  becameKnown: number
  becameUnknown: number
}

export async function rerateUsage(
  log: TenantLog,
  book: PriceBook,
  options: RollUpOptions = {},
): Promise<RollUpPage<Rerated>> {
  const checked = parseInput(priceBook, book, 'price book')
  const { groups, next } = await groupsOf<Sums>(
    options,
    async ({ by, ...walk }) => {
      const stretch = await log.store.listUsage(log.tenantId, walk)
      return {
        groups: stretch.rows.map((row) => ({
          key: keyOf(row, by),
          value: { totals: totalsOf(row), changes: changesOf(row, checked) },
        })),
        ...(stretch.next && { next: stretch.next }),
      }
    },
    addSums,
  )
  return { groups: groups.map(({ key, value }) => answerOf(key, value)), ...(next !== undefined && { next }) }
}

/** A row is rated by the prices of its own time. */
function changesOf(row: LedgerRow, book: PriceBook): Changes {
  const costSource = row.costSource as UsageRecord['costSource']
  const before = row.costMicrocents
  const { costMicrocents: after } = rate({ ...row, costSource }, book, row.at)
  const areKnown = before !== undefined && after !== undefined
  return {
    costMicrocents: after ?? 0,
    costUnknown: after === undefined ? 1 : 0,
    knownBefore: areKnown ? before : 0,
    knownAfter: areKnown ? after : 0,
    becameKnown: before === undefined && after !== undefined ? 1 : 0,
    becameUnknown: before !== undefined && after === undefined ? 1 : 0,
  }
}

function addSums(a: Sums, b: Sums): Sums {
  const changes = { ...a.changes }
  for (const name of Object.keys(changes) as (keyof Changes)[]) {
    changes[name] = addCounts(a.changes[name], b.changes[name], name)
  }
  return { totals: addTotals(a.totals, b.totals), changes }
}

function answerOf(key: RolledUp['key'], { totals, changes }: Sums): Rerated {
  const { costMicrocents, costUnknown, knownBefore, knownAfter, becameKnown, becameUnknown } = changes
  return {
    key,
    ...totals,
    rerated: { costMicrocents, costUnknown },
    differenceMicrocents: knownAfter - knownBefore,
    becameKnown,
    becameUnknown,
  }
}
