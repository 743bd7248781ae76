/**
 * The end of one followed session in memory: the newest events and draft chunks, shared by all its followers, bounded.
 * A follower that is further back reads the store. Nothing is kept for a session that nobody follows.
 */
import type { DraftChunk, NewEvent, StoredChunk } from '../store/store.ts'
import { wireTextOf } from './event-codec.ts'
import { FollowedEvent } from './followed-event.ts'
import type { Forgetful, TailMemory } from './tail-memory.ts'

/** The draft in the making: its newest chunks, up to number `last`. */
interface OpenDraft {
  draftId: string
  last: number
  chunks: StoredChunk[]
}

const keptEvents = 512
const keptBytes = 1024 * 1024
const keptChunks = 1_024
/** Writes in a row at which no follower looked: all of them stand still, and will read the store. */
const unseenWrites = 64

/** A follower that was given everything. */
export interface Waiter {
  /** Called once, with the next change. */
  wake(): void
}

export class Tail implements Forgetful {
  followers = 0
  /** Woken, and forgotten, with the next change. */
  readonly waiting = new Set<Waiter>()
  /** Rises with every change, so that a wake-up between a look and a wait is not lost. */
  version = 0
  /** Rises with every hint of a write by another process. */
  hints = 0
  /** Rises with every chunk written by this process. */
  draftVersion = 0
  /** Why nothing more will come. */
  ended: 'deleted' | 'closed' | undefined
  /** The newest events, without gaps; the last one has seq `#last`. */
  #events: FollowedEvent[] = []
  #bytes = 0
  /** Writes since a follower looked. */
  #unseen = 0
  /** Seq of the newest event known; undefined until somebody looked. */
  #last: number | undefined
  /** Undefined until somebody looked; null: none is open. */
  #draft: OpenDraft | null | undefined
  readonly #memory: TailMemory

  constructor(memory: TailMemory) {
    this.#memory = memory
  }

  /** The newest event known; undefined until somebody looked. */
  get last(): number | undefined {
    return this.#last
  }

  get draft(): Readonly<OpenDraft> | null | undefined {
    return this.#draft
  }

  push(baseSeq: number, rows: readonly NewEvent[]): void {
    if (this.#last !== undefined && baseSeq < this.#last) return
    if (this.#last !== baseSeq) this.letGo()
    this.#unseen += 1
    if (this.#unseen > unseenWrites) this.letGo()
    else this.#keep(baseSeq, rows)
    this.#last = baseSeq + rows.length
    this.#trim()
    this.wake()
  }

  /** A follower looked when there had been so many hints: the log ends at `seq`. */
  reached(seq: number, hints: number): void {
    if (hints !== this.hints) return
    if (this.#last !== undefined && this.#last >= seq) return
    this.letGo()
    this.#last = seq
  }

  /** The events after `seq`, or undefined when they are not all here. */
  after(seq: number): readonly FollowedEvent[] | undefined {
    this.#unseen = 0
    if (this.#last === undefined) return undefined
    if (seq >= this.#last) return []
    const first = this.#last - this.#events.length + 1
    return seq + 1 < first ? undefined : this.#events.slice(seq + 1 - first)
  }

  /** Durable chunks of a draft, from number `first`. */
  pushDraft(draftId: string, first: number, chunks: readonly DraftChunk[]): void {
    this.draftVersion += 1
    const numbered = chunks.map((chunk, i) => ({ ...chunk, chunk: first + i }))
    const joins = this.#draft?.draftId === draftId && this.#draft.last === first - 1
    const kept = joins ? (this.#draft as OpenDraft).chunks : []
    this.#draft = {
      draftId,
      last: first + chunks.length - 1,
      chunks: [...kept, ...numbered].slice(-keptChunks),
    }
    this.wake()
  }

  /** What the store says is open. */
  setDraft(open: { draftId: string; last: number } | undefined): void {
    if (open === undefined) this.#draft = null
    else if (this.#draft?.draftId !== open.draftId || this.#draft.last < open.last) {
      this.#draft = { ...open, chunks: [] }
    }
    this.wake()
  }

  dropDrafts(draftIds: readonly string[]): void {
    if (this.#draft && draftIds.includes(this.#draft.draftId)) this.#draft = null
  }

  /** The open draft's chunks after number `chunk`, or undefined when they are not all here. */
  chunksAfter(chunk: number): readonly StoredChunk[] | undefined {
    const draft = this.#draft
    if (!draft) return []
    const first = draft.last - draft.chunks.length + 1
    return chunk + 1 < first ? undefined : draft.chunks.slice(chunk + 1 - first)
  }

  /** Lets go of all texts, which were erased in part. */
  forget(): void {
    this.letGo()
    this.#draft = undefined
  }

  end(why: 'deleted' | 'closed'): void {
    this.ended = why
    this.forget()
    this.wake()
  }

  wake(): void {
    this.version += 1
    for (const waiter of this.waiting) waiter.wake()
    this.waiting.clear()
  }

  /** Followers that are not at the end read the store instead. */
  letGo(): void {
    this.#events = []
    this.#bytes = 0
    this.#memory.holds(this, 0)
  }

  #keep(baseSeq: number, rows: readonly NewEvent[]): void {
    let seq = baseSeq
    for (const row of rows) {
      seq += 1
      const event = new FollowedEvent(seq, row.type, wireTextOf(seq, row))
      this.#events.push(event)
      this.#bytes += event.text.length
    }
  }

  #trim(): void {
    let drop = 0
    while (
      this.#events.length - drop > keptEvents ||
      (this.#bytes > keptBytes && drop < this.#events.length - 1)
    ) {
      this.#bytes -= this.#events[drop]?.text.length ?? 0
      drop += 1
    }
    if (drop > 0) this.#events = this.#events.slice(drop)
    this.#memory.holds(this, this.#bytes)
  }
}
