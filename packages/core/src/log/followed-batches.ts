/**
 * What a follower of a session is given, all that there is at once. It holds nothing but its cursor: a slow one reads the
 * store when the tail in memory has moved past it. Thousands wait at the same time, so this is no generator: the frame of
 * one keeps what it gave last for as long as it waits.
 */
import { type Cursor, decodeCursor, encodeCursor, HoldfastError } from '@holdfast/protocol'
import type { DraftChunk, StoredChunk } from '../store/store.ts'
import { closed } from './committer.ts'
import { wireText } from './event-codec.ts'
import { FollowedEvent } from './followed-event.ts'
import { type LogReads, missing } from './log-reads.ts'
import type { Tail, Waiter } from './tail.ts'
import type { Tails } from './tails.ts'

export interface FollowOptions {
  /** Where the reader stands; absent: before the first event. */
  after?: string
  /** Ends the stream. */
  signal?: AbortSignal
  /** Of what is read from the store at once for a reader who is far behind; an event is read whole. */
  batchBytes?: number
}

export interface FollowedDraft {
  type: 'draft'
  cursor: string
  draft: { draftId: string; chunk: number } & DraftChunk
}

/** The text so far is void: another attempt at the message begins. */
export interface FollowedReset {
  type: 'draft.reset'
  cursor: string
  draftId: string
}

export type Followed = FollowedEvent | FollowedDraft | FollowedReset

export interface FollowedLog {
  reads: LogReads
  tails: Tails
}

const pageEvents = 256
const pageBytes = 1024 * 1024

type Given = IteratorResult<readonly Followed[], void>

const over: Given = { done: true, value: undefined }

/** Is asked for one batch at a time. */
export class FollowedBatches implements AsyncIterableIterator<readonly Followed[], void, void>, Waiter {
  readonly #reads: LogReads
  readonly #tails: Tails
  readonly #sessionId: string
  readonly #after: string | undefined
  readonly #signal: AbortSignal | undefined
  readonly #batchBytes: number
  readonly #stop = (): void => this.#leave()
  #at: Cursor = { seq: 0 }
  /** While it follows. */
  #tail: Tail | undefined
  #isOver = false
  #goOn: (() => void) | undefined

  constructor(
    { reads, tails }: FollowedLog,
    sessionId: string,
    { after, signal, batchBytes = pageBytes }: FollowOptions = {},
  ) {
    this.#reads = reads
    this.#tails = tails
    this.#sessionId = sessionId
    this.#after = after
    this.#signal = signal
    this.#batchBytes = batchBytes
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Given> {
    try {
      if (!this.#tail && !this.#isOver) await this.#join()
      while (this.#tail) {
        const { version } = this.#tail
        const batch = await this.#look(this.#tail)
        if (batch.length > 0) return { done: false, value: batch }
        await this.#change(version)
      }
      return over
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  /** Also while a batch is waited for: there is none then. */
  return(): Promise<Given> {
    this.#leave()
    return Promise.resolve(over)
  }

  /** Something changed in the tail. */
  wake(): void {
    if (!this.#goOn) return
    this.#tails.keptAlive.done()
    this.#goOn()
    this.#goOn = undefined
  }

  async #join(): Promise<void> {
    if (this.#after !== undefined) this.#at = decodeCursor(this.#after)
    await this.#requireReached()
    if (this.#signal?.aborted) this.#isOver = true
    if (this.#isOver) return
    this.#signal?.addEventListener('abort', this.#stop)
    this.#tail = this.#tails.join(this.#sessionId)
  }

  #leave(): void {
    this.#isOver = true
    if (!this.#tail) return
    this.#signal?.removeEventListener('abort', this.#stop)
    this.#tails.leave(this.#sessionId, this.#tail)
    this.#tail.waiting.delete(this)
    this.#tail = undefined
    this.wake()
  }

  async #requireReached(): Promise<void> {
    const head = await this.#reads.store.readHead(this.#reads.tenantId, this.#sessionId)
    if (!head) missing(this.#sessionId)
    if (this.#at.seq > head.seq) {
      throw new HoldfastError(
        'invalid_cursor',
        `cursor ${this.#after} is beyond the end of session ${this.#sessionId} (seq ${head.seq})`,
      )
    }
  }

  /** Empty: there is nothing new. */
  async #look(tail: Tail): Promise<readonly Followed[]> {
    if (tail.ended === 'deleted') missing(this.#sessionId)
    if (tail.ended === 'closed') throw closed()
    const events = tail.after(this.#at.seq) ?? (await this.#readPage(tail))
    return events.length > 0 ? events.map((event) => this.#event(event)) : this.#newChunks(tail)
  }

  /** Resolves at the next change after `version`, or when nobody follows any more; undefined: at once. */
  #change(version: number): Promise<void> | undefined {
    if (this.#tail?.version !== version) return undefined
    this.#tail.waiting.add(this)
    if (!this.#goOn) this.#tails.keptAlive.wait()
    return new Promise((resolve) => {
      this.#goOn = resolve
    })
  }

  async #readPage(tail: Tail): Promise<readonly FollowedEvent[]> {
    const after = this.#at.seq
    const { hints } = tail
    const rows = await this.#reads.readRows(this.#sessionId, {
      after,
      limit: pageEvents,
      maxBytes: this.#batchBytes,
    })
    if (rows.length === 0) tail.reached(after, hints)
    return rows.map((row) => new FollowedEvent(row.seq, row.type, wireText(row, this.#reads.upcasters)))
  }

  #event(event: FollowedEvent): FollowedEvent {
    const { seq, eventType, text } = event
    const { draft } = this.#at
    const open = draft && !(eventType === 'message.appended' && commits(text, draft.draftId))
    this.#at = open ? { seq, draft } : { seq }
    return open ? new FollowedEvent(seq, eventType, text, encodeCursor(this.#at)) : event
  }

  /** Chunks of the open draft that this reader has not seen; first a reset when it is another attempt. */
  async #newChunks(tail: Tail): Promise<Followed[]> {
    if (tail.draft === undefined) await this.#tails.readDrafts(this.#sessionId, tail)
    const open = tail.draft
    if (!open) return []
    const { draftId } = open
    const seen = this.#at.draft
    const items: Followed[] = []
    if (seen?.draftId !== draftId) this.#moveTo(draftId, 0)
    if (seen && seen.draftId !== draftId)
      items.push({ type: 'draft.reset', cursor: encodeCursor(this.#at), draftId })
    const from = this.#at.draft?.chunk ?? 0
    for (const { chunk, kind, text } of await this.#chunksAfter(tail, draftId, from)) {
      this.#moveTo(draftId, chunk)
      items.push({ type: 'draft', cursor: encodeCursor(this.#at), draft: { draftId, chunk, kind, text } })
    }
    return items
  }

  #moveTo(draftId: string, chunk: number): void {
    this.#at = { seq: this.#at.seq, draft: { draftId, chunk } }
  }

  async #chunksAfter(tail: Tail, draftId: string, chunk: number): Promise<readonly StoredChunk[]> {
    const recent = tail.chunksAfter(chunk)
    if (recent) return recent
    return this.#reads.store.readDraft(this.#reads.tenantId, this.#sessionId, draftId, chunk)
  }
}

function commits(text: string, draftId: string): boolean {
  const { data } = JSON.parse(text) as { data: { draftId?: string } }
  return data.draftId === draftId
}
