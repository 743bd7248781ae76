/** The tails of the sessions that are followed now, kept up to date with this process's writes and, on a hint, others'. */
import { limits } from '@holdfast/protocol'
import type { Commit } from '../store/store.ts'
import { KeptAlive } from './kept-alive.ts'
import type { LogReads } from './log-reads.ts'
import { Tail } from './tail.ts'
import type { TailMemory } from './tail-memory.ts'

export class Tails {
  readonly keptAlive = new KeptAlive()
  readonly #tails = new Map<string, Tail>()
  readonly #reads: LogReads
  /** Tails being refreshed; true when another hint came meanwhile. */
  readonly #refreshing = new Map<Tail, boolean>()

  readonly #memory: TailMemory

  constructor(reads: LogReads, memory: TailMemory) {
    this.#reads = reads
    this.#memory = memory
  }

  join(sessionId: string): Tail {
    const tail = this.#tails.get(sessionId) ?? new Tail(this.#memory)
    this.#tails.set(sessionId, tail)
    tail.followers += 1
    return tail
  }

  leave(sessionId: string, tail: Tail): void {
    tail.followers -= 1
    if (tail.followers > 0) return
    tail.letGo()
    if (this.#tails.get(sessionId) === tail) this.#tails.delete(sessionId)
  }

  get(sessionId: string): Tail | undefined {
    return this.#tails.get(sessionId)
  }

  committed({ sessionId, baseSeq, events, dropDrafts, erase }: Commit): void {
    const tail = this.#tails.get(sessionId)
    if (!tail) return
    if (erase) tail.forget()
    tail.dropDrafts(dropDrafts)
    tail.push(baseSeq, events)
  }

  deleted(sessionId: string): void {
    this.#tails.get(sessionId)?.end('deleted')
  }

  /** Another process wrote something somewhere. */
  foreignWrite(): void {
    for (const [sessionId, tail] of this.#tails) {
      tail.hints += 1
      void this.refresh(sessionId, tail)
    }
  }

  close(): void {
    for (const tail of this.#tails.values()) tail.end('closed')
  }

  /** Reads what is new in the store, once for all followers, and once more if a hint came meanwhile. */
  async refresh(sessionId: string, tail: Tail): Promise<void> {
    if (this.#refreshing.has(tail)) {
      this.#refreshing.set(tail, true)
      return
    }
    do {
      this.#refreshing.set(tail, false)
      await this.#readNew(sessionId, tail).catch(() => tail.wake())
    } while (this.#refreshing.get(tail) && !tail.ended)
    this.#refreshing.delete(tail)
  }

  async #readNew(sessionId: string, tail: Tail): Promise<void> {
    const { store, tenantId } = this.#reads
    if ((await store.readHead(tenantId, sessionId)) === undefined) {
      tail.end('deleted')
      return
    }
    while (tail.last !== undefined) {
      const after = tail.last
      const rows = await this.#reads.readRows(sessionId, {
        after,
        limit: limits.pageItems,
        maxBytes: 1024 * 1024,
      })
      if (rows.length === 0) break
      if (rows.some(({ type }) => type === 'session.erased')) tail.forget()
      tail.push(after, rows)
    }
    await this.readDrafts(sessionId, tail)
  }

  /** The newest open draft, as the store has it. */
  async readDrafts(sessionId: string, tail: Tail): Promise<void> {
    const { store, tenantId } = this.#reads
    const before = tail.draftVersion
    const drafts = await store.listDrafts(tenantId, sessionId)
    const newest = drafts.toSorted((a, b) => a.epoch - b.epoch).at(-1)
    // A chunk written by this process meanwhile is newer than what was read.
    if (tail.draftVersion === before) tail.setDraft(newest)
  }
}
