/**
 * The newest event rows of the sessions that are read, kept for the next look: a conversation is read from its end, and
 * again after every turn. They are taken for nothing newer than the head that was read, and shared by nobody: rows are
 * texts, so each reader parses its own. Bounded together with the tails.
 */
import type { Head } from '../session/state.ts'
import type { Commit, StoredEvent } from '../store/store.ts'
import type { LogReads } from './log-reads.ts'
import type { Forgetful, TailMemory } from './tail-memory.ts'

const keptRows = 256
const keptUnits = 256 * 1024

export class RecentRows {
  readonly #reads: LogReads
  readonly #memory: TailMemory
  readonly #sessions = new Map<string, Recent>()

  constructor(reads: LogReads, memory: TailMemory) {
    this.#reads = reads
    this.#memory = memory
  }

  /** Up to `limit` events after `after` through `through`, newest first; `head` was read before. */
  async backward(
    sessionId: string,
    head: Head,
    { after, through, limit }: { after: number; through: number; limit: number },
  ): Promise<readonly StoredEvent[]> {
    const first = Math.max(after + 1, through - limit + 1)
    const kept = await this.#upTo(sessionId, head)
    const found = kept?.slice(first, through)
    if (found) return found
    const rows = await this.#reads.readRows(sessionId, { after, through, limit, direction: 'backward' })
    if (through === head.seq) this.#keep(sessionId, head, rows)
    return rows
  }

  /** What this process wrote is the newest there is. */
  committed({ sessionId, baseSeq, events, commitId, erase }: Commit): void {
    const recent = this.#sessions.get(sessionId)
    if (!recent) return
    if (erase || recent.last !== baseSeq) this.forget(sessionId)
    else recent.push(events.map((event, index) => ({ ...event, seq: baseSeq + index + 1, commitId })))
  }

  forget(sessionId: string): void {
    this.#sessions.get(sessionId)?.letGo()
  }

  /** Brought up to the head: what others wrote meanwhile is read. An erasure may have taken any of the rows. */
  async #upTo(sessionId: string, { seq }: Head): Promise<Recent | undefined> {
    const recent = this.#sessions.get(sessionId)
    if (!recent || recent.last >= seq) return recent
    const baseSeq = recent.last
    const missing = seq - baseSeq
    const fresh =
      missing > keptRows
        ? []
        : await this.#reads.readRows(sessionId, { after: baseSeq, through: seq, limit: missing })
    const isWhole = fresh.length === missing && !fresh.some(({ type }) => type === 'session.erased')
    if (this.#sessions.get(sessionId) !== recent) return undefined
    if (!isWhole) recent.letGo()
    else if (recent.last === baseSeq) recent.push(fresh)
    return recent
  }

  /** Rows of a fork's prefix are another session's, whose erasures this one does not tell of. */
  #keep(sessionId: string, { seq, forkedFrom }: Head, newestFirst: readonly StoredEvent[]): void {
    const rows = newestFirst.filter((row) => row.seq > (forkedFrom?.seq ?? 0)).reverse()
    if (rows.at(-1)?.seq !== seq) return
    this.forget(sessionId)
    const recent = new Recent(this.#memory, () => this.#sessions.delete(sessionId))
    this.#sessions.set(sessionId, recent)
    recent.push(rows)
  }
}

/** Rows without a gap, oldest first. */
class Recent implements Forgetful {
  readonly #memory: TailMemory
  readonly #gone: () => void
  #rows: StoredEvent[] = []
  #units = 0

  constructor(memory: TailMemory, gone: () => void) {
    this.#memory = memory
    this.#gone = gone
  }

  /** 0 when nothing is kept. */
  get last(): number {
    return this.#rows.at(-1)?.seq ?? 0
  }

  push(rows: readonly StoredEvent[]): void {
    this.#rows.push(...rows)
    for (const { body } of rows) this.#units += body.length
    let dropped = 0
    while (this.#rows.length - dropped > keptRows || this.#units > keptUnits) {
      this.#units -= this.#rows[dropped]?.body.length ?? 0
      dropped += 1
    }
    if (dropped > 0) this.#rows = this.#rows.slice(dropped)
    if (this.#rows.length === 0) this.letGo()
    else this.#memory.holds(this, this.#units)
  }

  /** Newest first; undefined unless all of them are here. */
  slice(first: number, through: number): StoredEvent[] | undefined {
    const start = this.#rows[0]?.seq
    if (start === undefined || first < start || through > this.last) return undefined
    this.#memory.holds(this, this.#units)
    return this.#rows.slice(first - start, through - start + 1).reverse()
  }

  letGo(): void {
    this.#rows = []
    this.#units = 0
    this.#memory.holds(this, 0)
    this.#gone()
  }
}
