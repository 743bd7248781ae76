/** The ledger as it is read: rows of a session, and sums that are added up from the rows whenever they are asked for. */
import { HoldfastError, type PriceBook } from '@holdfast/protocol'
import type { UsageRow, UsageTotals } from '../store/store.ts'
import { namesIn, type UsageScope } from '../store/usage-rows.ts'
import { noUsage } from '../store/usage-totals.ts'
import { requireKnown } from './option-names.ts'
import type { PriceBooks } from './price-books.ts'
import { type Rerated, rerateUsage } from './rerate.ts'
import { type RollUpOptions, type RollUpPage, rollUpUsage } from './roll-up.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface UsagePage {
  rows: readonly UsageRow[]
  /** Give it as `after`; absent when there is nothing more. */
  next?: number
}

export class Usage {
  readonly #log: TenantLog
  readonly #books: PriceBooks

  constructor(log: TenantLog, books: PriceBooks) {
    this.#log = log
    this.#books = books
  }

  /** One row per model call attempt, in the order of the log. */
  async list(sessionId: string, options: { after?: number; limit?: number } = {}): Promise<UsagePage> {
    requireKnown(options, ['after', 'limit'], 'usage.list')
    const limit = pageLimit(options.limit)
    const rows = await this.#log.store.readUsage(this.#log.tenantId, sessionId, options.after ?? 0, limit + 1)
    const page = rows.slice(0, limit)
    const last = page.at(-1)
    return { rows: page, ...(rows.length > limit && last && { next: last.seq }) }
  }

  /** Of a session, of a tree by its root, or of the tenant: those are added up stretch after stretch, as in `rollUp`. */
  async totals(scope: UsageScope = {}): Promise<UsageTotals> {
    requireKnown(scope, ['sessionId', 'rootSessionId'], 'usage.totals')
    if (namesIn(scope).length > 0) return this.#log.store.sumUsage(this.#log.tenantId, scope)
    const [all] = (await rollUpUsage(this.#log)).groups
    if (!all) return noUsage()
    const { key: _none, ...totals } = all
    return totals
  }

  /** Sums by session, tree, user, agent, provider, model, purpose or day, or by several of them; of the tenant without any. */
  rollUp(options?: RollUpOptions): Promise<RollUpPage> {
    return rollUpUsage(this.#log, options)
  }

  /** The same with what the rows would have cost under another price book, given or by its id. Changes nothing. */
  async rerate(book: string | PriceBook, options?: RollUpOptions): Promise<RollUpPage<Rerated>> {
    return rerateUsage(this.#log, typeof book === 'string' ? await this.#bookOf(book) : book, options)
  }

  async #bookOf(id: string): Promise<PriceBook> {
    const record = await this.#books.get(id)
    if (record) return record.body
    throw new HoldfastError('not_found', `there is no price_book ${id}`)
  }
}
