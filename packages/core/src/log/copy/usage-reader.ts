/** The ledger rows of one session in the order of their events, read a page ahead. */
import { limits } from '@holdfast/protocol'
import type { UsageRow } from '../../store/store.ts'
import type { LogReads } from '../log-reads.ts'

export class UsageReader {
  readonly #reads: LogReads
  readonly #sessionId: string
  #after: number
  #page: UsageRow[] = []
  #isRead = false

  constructor(reads: LogReads, sessionId: string, after: number) {
    this.#reads = reads
    this.#sessionId = sessionId
    this.#after = after
  }

  /** Those that follow the last answer, of events up to `seq`. */
  async through(seq: number): Promise<UsageRow[]> {
    const rows: UsageRow[] = []
    for (let row = await this.#peek(); row && row.seq <= seq; row = await this.#peek()) {
      rows.push(row)
      this.#page.shift()
    }
    return rows
  }

  async #peek(): Promise<UsageRow | undefined> {
    if (this.#page.length === 0 && !this.#isRead) {
      const { store, tenantId } = this.#reads
      this.#page = [...(await store.readUsage(tenantId, this.#sessionId, this.#after, limits.pageItems))]
      this.#after = this.#page.at(-1)?.seq ?? this.#after
      this.#isRead = this.#page.length === 0
    }
    return this.#page[0]
  }
}
