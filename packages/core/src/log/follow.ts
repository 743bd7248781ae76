/**
 * Following a session: its history from a cursor on, then what is written from now on, joined without gap or repeat,
 * whichever process writes it. A follower holds nothing but its cursor: a slow one reads the store when the tail in
 * memory has moved past it. Text of the message in the making comes as draft items, each durable before it is sent.
 */
import { type Cursor, decodeCursor, encodeCursor, HoldfastError, type SessionEvent } from '@holdfast/protocol'
import type { DraftChunk, StoredChunk } from '../store/store.ts'
import { closed } from './committer.ts'
import { wireText } from './event-codec.ts'
import { type LogReads, missing } from './log-reads.ts'
import type { Tail } from './tail.ts'
import type { Tails } from './tails.ts'

export interface FollowOptions {
  /** Where the reader stands; absent: before the first event. */
  after?: string
  /** Ends the stream. */
  signal?: AbortSignal
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

/** An event with its wire text, which is parsed only when asked for. */
export class FollowedEvent {
  readonly type = 'event'
  readonly cursor: string
  /** JSON text of the event. */
  readonly text: string
  #event: SessionEvent | undefined

  constructor(cursor: string, text: string) {
    this.cursor = cursor
    this.text = text
  }

  get event(): SessionEvent {
    this.#event ??= JSON.parse(this.text) as SessionEvent
    return this.#event
  }
}

const pageEvents = 256
const pageBytes = 1024 * 1024

export async function* follow(
  { reads, tails }: { reads: LogReads; tails: Tails },
  sessionId: string,
  { after, signal }: FollowOptions = {},
): AsyncGenerator<Followed, void, void> {
  const cursor = after === undefined ? { seq: 0 } : decodeCursor(after)
  await requireReached(reads, sessionId, cursor, after)
  const tail = tails.join(sessionId)
  try {
    yield* new Follower(reads, tails, sessionId, tail, cursor, signal).items()
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
  readonly #signal: AbortSignal | undefined
  #at: Cursor

  constructor(
    reads: LogReads,
    tails: Tails,
    sessionId: string,
    tail: Tail,
    at: Cursor,
    signal: AbortSignal | undefined,
  ) {
    this.#reads = reads
    this.#tails = tails
    this.#sessionId = sessionId
    this.#tail = tail
    this.#at = at
    this.#signal = signal
  }

  async *items(): AsyncGenerator<Followed, void, void> {
    while (!this.#signal?.aborted) {
      if (this.#tail.ended === 'deleted') missing(this.#sessionId)
      if (this.#tail.ended === 'closed') throw closed()
      const { version } = this.#tail
      const events = this.#tail.after(this.#at.seq) ?? (await this.#readPage())
      for (const event of events) {
        yield this.#event(event)
        if (this.#signal?.aborted) return
      }
      if (events.length > 0) continue
      const chunks = await this.#newChunks()
      for (const item of chunks) {
        yield item
        if (this.#signal?.aborted) return
      }
      if (chunks.length === 0) await this.#tail.wait(version, this.#signal)
    }
  }

  async #readPage(): Promise<readonly { seq: number; type: string; text: string }[]> {
    const after = this.#at.seq
    const { hints } = this.#tail
    const rows = await this.#reads.readRows(this.#sessionId, {
      after,
      limit: pageEvents,
      maxBytes: pageBytes,
    })
    if (rows.length === 0) this.#tail.reached(after, hints)
    return rows.map((row) => ({ seq: row.seq, type: row.type, text: wireText(row, this.#reads.upcasters) }))
  }

  #event({ seq, type, text }: { seq: number; type: string; text: string }): Followed {
    const { draft } = this.#at
    const open = draft && !(type === 'message.appended' && commits(text, draft.draftId))
    this.#at = open ? { seq, draft } : { seq }
    return new FollowedEvent(encodeCursor(this.#at), text)
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
