/** The price books of a tenant: each is a version under an id of its own and never changed; one of them is current. */
import {
  HoldfastError,
  parseInput,
  toTime,
  type UsageInput,
  type UsageRecord,
  usageRecord,
} from '@holdfast/protocol'
import { rate } from '../ledger/cost.ts'
import type { PriceList } from '../ledger/price-list.ts'
import { Records, type StoredRecord } from './records.ts'
import type { TenantLog } from './tenant-log.ts'

/** The one record of its kind. */
const pointer = 'current'

export class PriceBooks extends Records<'price_book'> {
  readonly #log: TenantLog
  readonly #pointer: Records<'current_price_book'>
  /** Read once: what is under an id stays, and is large. */
  #newest: StoredRecord<'price_book'> | undefined

  constructor(log: TenantLog) {
    super(log, 'price_book')
    this.#log = log
    this.#pointer = new Records(log, 'current_price_book')
  }

  /** What new usage is rated by: the current book, else the prices that the store was opened with, if any. */
  async inForce(): Promise<PriceList | undefined> {
    return (await this.current()) ?? this.#log.engine.prices()
  }

  /** The book that was named; undefined before one was. */
  async current(): Promise<StoredRecord<'price_book'> | undefined> {
    const id = (await this.#pointer.get(pointer))?.body.priceBookId
    if (id === undefined) return undefined
    if (this.#newest?.id !== id) this.#newest = await this.get(id)
    return this.#newest
  }

  /** From now on; rows that are there keep their cost, see `usage.rerate`. The last who names one wins. */
  async setCurrent(id: string): Promise<void> {
    if (!(await this.get(id))) throw new HoldfastError('not_found', `there is no price_book ${id}`)
    await this.#pointer.put(pointer, { priceBookId: id })
  }

  /**
   * The attempt with its cost by the prices in force, ready for `recordUsage`. What the provider reported stays; without
   * prices, or with ones that do not know the model, the cost is unknown. The call was made at the time that the attempt says, by default now.
   */
  async rate(usage: UsageInput): Promise<UsageRecord> {
    const { costMicrocents, costSource, priceBook, ...rest } = parseInput(usageRecord, usage, 'usage')
    const attempt = { ...rest, at: rest.at ?? toTime(this.#log.nowMs) }
    if (costSource === 'provider') return { ...attempt, costMicrocents, costSource }
    const book = await this.inForce()
    const cost = book
      ? rate({ ...attempt, costSource }, book.body, attempt.at)
      : { costSource: 'unknown' as const }
    return { ...attempt, ...cost, ...(book && cost.costSource === 'price_book' && { priceBook: book.id }) }
  }
}
