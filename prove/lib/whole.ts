/** Is a stored session whole: no gap in its log, head and ledger what the log says. */
import type { Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import type { Bill } from './history.ts'
import { foldedHead } from './inside.ts'
import type { StoredSession } from './stored.ts'

export function gapProblems({ events, headSeq }: StoredSession): string[] {
  const gap = events.find((event, index) => event.seq !== index + 1)
  if (gap) return [`seq ${gap.seq} stands at place ${events.indexOf(gap) + 1}`]
  return events.length === headSeq ? [] : [`the head says ${headSeq}, the log ends at ${events.length}`]
}

/** The stored head must be the fold of the log from its first event. */
export function foldProblems(session: StoredSession): string[] {
  const [stored, folded] = [plainOf(session.head), plainOf(foldedHead(session))]
  return stored === folded
    ? []
    : [`the head is not the fold of the log:\n  stored ${stored}\n  folded ${folded}`]
}

const plain = new WeakMap<object, string>()

function plainOf(head: object): string {
  const found = plain.get(head) ?? plainText(head)
  plain.set(head, found)
  return found
}

/** Sorted, without what is zero or empty, which a stored head leaves out, and without its version. */
function plainText({ v: _version, ...value }: { v?: unknown }): string {
  return JSON.stringify(value, (_key, item) => {
    if (item === 0 || item === false) return undefined
    if (item === null || typeof item !== 'object') return item
    if (Array.isArray(item)) return item.length === 0 ? undefined : item
    const left = Object.entries(item).filter(([, one]) => !isEmpty(one))
    return Object.fromEntries(left.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

function isEmpty(value: unknown): boolean {
  if (value === 0 || value === false || value === undefined) return true
  return typeof value === 'object' && value !== null && Object.values(value).every(isEmpty)
}

/** The ledger summed in SQL, the counters of the head and the bills that the writers know of must be one. */
export async function billProblems(
  store: Store,
  { sessionId, head }: StoredSession,
  bills: readonly Bill[],
): Promise<string[]> {
  const sums = await store.sumUsage(DEFAULT_TENANT, { sessionId })
  const counters = (head.counters ?? {}) as Partial<Bill>
  const figures = ['promptTokens', 'completionTokens', 'costMicrocents'] as const
  const problems = figures.flatMap((figure) => {
    const billed = bills.reduce((sum, bill) => sum + bill[figure], 0)
    const counted = counters[figure] ?? 0
    if (sums[figure] === billed && counted === billed) return []
    return [`${figure}: the ledger has ${sums[figure]}, the head ${counted}, the bills ${billed}`]
  })
  return sums.rows === bills.length
    ? problems
    : [...problems, `${sums.rows} ledger rows for ${bills.length} bills`]
}
