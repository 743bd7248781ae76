/**
 * Following a session: its history from a cursor on, then what is written from now on, joined without gap or repeat,
 * whichever process writes it. A follower holds nothing but its cursor: a slow one reads the store when the tail in
 * memory has moved past it. Text of the message in the making comes as draft items, each durable before it is sent.
 */
import { type Cursor, decodeCursor, encodeCursor, HoldfastError } from '@holdfast/protocol'
import type { DraftChunk, StoredChunk } from '../store/store.ts'
import { closed } from './committer.ts'
import { wireText } from './event-codec.ts'
import { FollowedEvent } from './followed-event.ts'
import { type LogReads, missing } from './log-reads.ts'
import type { Tail } from './tail.ts'
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

const pageEvents = 256
const pageBytes = 1024 * 1024

export async function* follow(
  log: { reads: LogReads; tails: Tails },
  sessionId: string,
  options?: FollowOptions,
): AsyncGenerator<Followed, void, void> {
  for await (const batch of followBatches(log, sessionId, options)) {
    for (const item of batch) {
      yield item
      if (options?.signal?.aborted) return
    }
  }
}

/** The same, all that there is at once: for whoever sends it on. */
export async function* followBatches(
  { reads, tails }: { reads: LogReads; tails: Tails },
  sessionId: string,
  { after, signal, batchBytes = pageBytes }: FollowOptions = {},
): AsyncGenerator<readonly Followed[], void, void> {
  const cursor = after === undefined ? { seq: 0 } : decodeCursor(after)
  await requireReached(reads, sessionId, cursor, after)
  const tail = tails.join(sessionId)
  try {
    yield* new Follower(reads, tails, sessionId, tail, cursor, batchBytes, signal).batches()
  } finally {
    tails.leave(sessionId, tail)
  }
}

async function requireReached(
  reads: LogReads,
  sessionId: string,
  cursor: Cursor,
  text: string | undefined,
): Promise<void> {
  const head = await reads.store.readHead(reads.tenantId, sessionId)
  if (!head) missing(sessionId)
  if (cursor.seq > head.seq) {
    throw new HoldfastError(
      'invalid_cursor',
      `cursor ${text} is beyond the end of session ${sessionId} (seq ${head.seq})`,
    )
  }
}

class Follower {
  readonly #reads: LogReads
  readonly #tails: Tails
  readonly #sessionId: string
  readonly #tail: Tail
  readonly #batchBytes: number
  readonly #signal: AbortSignal | undefined
  #at: Cursor

  constructor(
    reads: LogReads,
    tails: Tails,
    sessionId: string,
    tail: Tail,
    at: Cursor,
    batchBytes: number,
    signal: AbortSignal | undefined,
  ) {
    this.#reads = reads
    this.#tails = tails
    this.#sessionId = sessionId
    this.#tail = tail
    this.#at = at
    this.#batchBytes = batchBytes
    this.#signal = signal
  }

  async *batches(): AsyncGenerator<readonly Followed[], void, void> {
    while (!this.#signal?.aborted) {
      if (this.#tail.ended === 'deleted') missing(this.#sessionId)
      if (this.#tail.ended === 'closed') throw closed()
      const { version } = this.#tail
      const events = this.#tail.after(this.#at.seq) ?? (await this.#readPage())
      if (events.length > 0) {
        yield events.map((event) => this.#event(event))
        continue
      }
      const chunks = await this.#newChunks()
      if (chunks.length > 0) yield chunks
      else await this.#tail.wait(version, this.#signal)
    }
  }

  async #readPage(): Promise<readonly FollowedEvent[]> {
    const after = this.#at.seq
    const { hints } = this.#tail
    const rows = await this.#reads.readRows(this.#sessionId, {
      after,
      limit: pageEvents,
      maxBytes: this.#batchBytes,
    })
    if (rows.length === 0) this.#tail.reached(after, hints)
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
  async #newChunks(): Promise<Followed[]> {
    if (this.#tail.draft === undefined) await this.#tails.readDrafts(this.#sessionId, this.#tail)
    const open = this.#tail.draft
    if (!open) return []
    const { draftId } = open
    const seen = this.#at.draft
    const items: Followed[] = []
    if (seen?.draftId !== draftId) this.#moveTo(draftId, 0)
    if (seen && seen.draftId !== draftId)
      items.push({ type: 'draft.reset', cursor: encodeCursor(this.#at), draftId })
    const from = this.#at.draft?.chunk ?? 0
    for (const { chunk, kind, text } of await this.#chunksAfter(draftId, from)) {
      this.#moveTo(draftId, chunk)
      items.push({ type: 'draft', cursor: encodeCursor(this.#at), draft: { draftId, chunk, kind, text } })
    }
    return items
  }

  #moveTo(draftId: string, chunk: number): void {
    this.#at = { seq: this.#at.seq, draft: { draftId, chunk } }
  }

  async #chunksAfter(draftId: string, chunk: number): Promise<readonly StoredChunk[]> {
    const recent = this.#tail.chunksAfter(chunk)
    if (recent) return recent
    return this.#reads.store.readDraft(this.#reads.tenantId, this.#sessionId, draftId, chunk)
  }
}

function commits(text: string, draftId: string): boolean {
  const { data } = JSON.parse(text) as { data: { draftId?: string } }
  return data.draftId === draftId
}
