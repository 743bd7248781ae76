/** The ledger of a session against its usage events, row by row, and its sums against the counters. */
import { isHoldfastError, limits } from '@holdfast/protocol'
import type { UsageRow, UsageTotals } from '../../store/store.ts'
import type { LogReads } from '../log-reads.ts'
import { type Discovery, discovery, toRebuild } from './discovery.ts'
import { isSameJson } from './same-json.ts'

/** Of a row that fails its checksum only its place is told. */
type StoredRow = UsageRow | { seq: number; damaged: true }

export class UsageCheck {
  readonly #reads: LogReads
  readonly #sessionId: string
  #page: StoredRow[] = []
  #after = Number.MIN_SAFE_INTEGER
  #isRead = false
  /** Every row so far is what its event says. */
  #isRight = true
  readonly #expected = noTotals()

  constructor(reads: LogReads, sessionId: string) {
    this.#reads = reads
    this.#sessionId = sessionId
  }

  /** For each own usage event, in order. */
  async *add(seq: number, expected: UsageRow): AsyncGenerator<Discovery> {
    yield* this.#strays(seq - 1)
    addTo(this.#expected, expected)
    const stored: StoredRow[] = []
    for (let row = await this.#peek(); row?.seq === seq; row = await this.#peek()) {
      stored.push(row)
      this.#page.shift()
    }
    if (stored.length !== 1 || !isSameJson(stored[0], expected)) {
      const message = `event ${seq} has ${stored.length} rows in the ledger, or one that differs or fails its checksum`
      yield this.#wrong(seq, message, [expected])
    }
  }

  /** After the last event. */
  end(lastSeq: number, isStill: boolean): AsyncGenerator<Discovery> {
    return this.#strays(isStill ? Number.MAX_SAFE_INTEGER : lastSeq)
  }

  /** When nothing was written since: the sums of the rows, as the store adds them up. */
  async *checkSums(): AsyncGenerator<Discovery> {
    if (!this.#isRight) return
    const { store, tenantId } = this.#reads
    const sums = await store.sumUsage(tenantId, { sessionId: this.#sessionId })
    if (isSameJson(sums, this.#expected)) return
    yield discovery('usage_wrong', this.#sessionId, 'the sums of the ledger are not those of its rows')
  }

  async *#strays(through: number): AsyncGenerator<Discovery> {
    for (let row = await this.#peek(); row && row.seq <= through; row = await this.#peek()) {
      this.#page.shift()
      yield this.#wrong(row.seq, `a row of the ledger names event ${row.seq}, which is no usage`, [])
    }
  }

  #wrong(seq: number, message: string, usage: readonly UsageRow[]): Discovery {
    this.#isRight = false
    const fix = toRebuild({ usage, usageSeqs: [seq] })
    return discovery('usage_wrong', this.#sessionId, message, { seq, fix })
  }

  async #peek(): Promise<StoredRow | undefined> {
    if (this.#page.length === 0 && !this.#isRead) {
      this.#page = await this.#readPage(limits.pageItems)
      this.#isRead = this.#page.length === 0
      this.#after = this.#page.at(-1)?.seq ?? this.#after
    }
    return this.#page[0]
  }

  /** Up to the first row that fails its checksum. Others of its seq are passed over, for they are put in place with it. */
  async #readPage(limit: number): Promise<StoredRow[]> {
    const found = await this.#read(limit)
    if (!('damaged' in found)) return found
    let [whole, tooMany]: [UsageRow[], number] = [[], limit]
    while (tooMany - whole.length > 1) {
      const count = Math.floor((whole.length + tooMany) / 2)
      const rows = await this.#read(count)
      if ('damaged' in rows) tooMany = count
      else whole = rows
    }
    return [...whole, found]
  }

  async #read(limit: number): Promise<UsageRow[] | { seq: number; damaged: true }> {
    const { store, tenantId } = this.#reads
    try {
      return [...(await store.readUsage(tenantId, this.#sessionId, this.#after, limit))]
    } catch (error) {
      if (!isHoldfastError(error, 'store_corrupt') || typeof error.details.seq !== 'number') throw error
      return { seq: error.details.seq, damaged: true }
    }
  }
}

function noTotals(): UsageTotals {
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

function addTo(totals: UsageTotals, row: UsageRow): void {
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
