/** Sums of the ledger, added up anew each time. */
import type { UsageRow, UsageTotals } from '../store.ts'
import type { KeptTenant } from './place.ts'

export interface UsageScope {
  sessionId?: string
  rootSessionId?: string
}

export function sumUsage(tenant: KeptTenant, scope: UsageScope): UsageTotals {
  const totals = noUsage()
  for (const [sessionId, rows] of tenant.usage) {
    if (scope.sessionId !== undefined && scope.sessionId !== sessionId) continue
    for (const row of rows) {
      if (scope.rootSessionId === undefined || scope.rootSessionId === row.rootSessionId) add(totals, row)
    }
  }
  return totals
}

function add(totals: UsageTotals, row: UsageRow): void {
  totals.rows += 1
  totals.promptTokens += row.promptTokens
  totals.completionTokens += row.completionTokens
  totals.reasoningTokens += row.reasoningTokens
  totals.cachedReadTokens += row.cachedReadTokens
  totals.cachedWriteTokens += row.cachedWriteTokens
  totals.costMicrocents += row.costMicrocents ?? 0
  totals.costUnknown += row.costMicrocents === undefined ? 1 : 0
  totals.costEstimated += row.estimated ? 1 : 0
}

function noUsage(): UsageTotals {
  return {
    rows: 0,
    promptTokens: 0,
    completionTokens: 0,
    reasoningTokens: 0,
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
    costMicrocents: 0,
    costUnknown: 0,
    costEstimated: 0,
  }
}
