/** The ledger as it is read: rows of a session, and sums that are added up from the rows whenever they are asked for. */
import type { UsageRow, UsageTotals } from '../store/store.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface UsagePage {
  rows: readonly UsageRow[]
  /** Give it as `after`; absent when there is nothing more. */
  next?: number
}

export class Usage {
  readonly #log: TenantLog

  constructor(log: TenantLog) {
    this.#log = log
  }

  /** One row per model call attempt, in the order of the log. */
  async list(sessionId: string, options: { after?: number; limit?: number } = {}): Promise<UsagePage> {
    const limit = pageLimit(options.limit)
    const rows = await this.#log.store.readUsage(this.#log.tenantId, sessionId, options.after ?? 0, limit + 1)
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { rows: page, ...(rows.length > limit && last && { next: last.seq }) }
  }

  /** Of a session, of a tree by its root, or of the tenant. */
  totals(scope: { sessionId?: string; rootSessionId?: string } = {}): Promise<UsageTotals> {
    return this.#log.store.sumUsage(this.#log.tenantId, scope)
  }
}
