/** The ledger of a session against its usage events, row by row, and its sums against the counters. */
import { limits } from '@holdfast/protocol'
import type { UsageRow, UsageTotals } from '../../store/store.ts'
import type { LogReads } from '../log-reads.ts'
import { type Discovery, discovery, toRebuild } from './discovery.ts'
import { isSameJson } from './same-json.ts'

export class UsageCheck {
  readonly #reads: LogReads
  readonly #sessionId: string
  #page: UsageRow[] = []
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
    const stored: UsageRow[] = []
    for (let row = await this.#peek(); row?.seq === seq; row = await this.#peek()) {
      stored.push(row)
      this.#page.shift()
    }
    if (stored.length !== 1 || !isSameJson(stored[0], expected)) {
      const message = `event ${seq} has ${stored.length} rows in the ledger, or one that differs`
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

  async #peek(): Promise<UsageRow | undefined> {
    if (this.#page.length === 0 && !this.#isRead) {
      const { store, tenantId } = this.#reads
      this.#page = [...(await store.readUsage(tenantId, this.#sessionId, this.#after, limits.pageItems))]
      this.#isRead = this.#page.length < limits.pageItems
      this.#after = this.#page.at(-1)?.seq ?? this.#after
    }
    return this.#page[0]
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
