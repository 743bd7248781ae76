/**
 * Messages as a reader sees them: those on the visible path, in the order they entered it, page by page from either
 * end. A page reads only its own stretch of the log. A tool call and its results are never parted by a page's edge.
 *
 * Input that waited for a run stands where it was delivered; what still waits comes last, marked `waiting`.
 */
import { type EventData, HoldfastError, type Message } from '@holdfast/protocol'
import { messageOf } from '../session/messages.ts'
import { closePath } from '../session/path.ts'
import type { Head } from '../session/state.ts'
import type { StoredEvent } from '../store/store.ts'
import { decodeEvent } from './event-codec.ts'
import type { LogReads } from './log-reads.ts'
import type { RecentRows } from './recent-rows.ts'
import { pageLimit } from './session-read.ts'
import type { TenantLog } from './tenant-log.ts'

export interface MessagePageOptions {
  /** How many, about: a page is longer when it would otherwise part a call from its results. Default 50. */
  limit?: number
  /** Only what is older than this cursor of an earlier page; the newest of them. */
  before?: string
  /** Only what is newer than this cursor; the oldest of them. `0` for the beginning. */
  after?: string
}

export interface MessagePage {
  /** Oldest first. */
  messages: Message[]
  /** Give it as `before` for the page before this one; absent at the beginning. */
  older?: string
  /** Give it as `after` for what comes after this page, now or later. */
  newer: string
}

export type MessageReads = Pick<TenantLog, 'reads' | 'recent'>

/** Where an entry stands: the seq at which it entered the view. */
interface Entry {
  position: number
  messages: Message[]
}

type Range = { from: number; to: number }

export async function readMessages(
  { reads, recent }: MessageReads,
  sessionId: string,
  options: MessagePageOptions = {},
): Promise<MessagePage> {
  const limit = pageLimit(options.limit)
  const { state } = await reads.requireHead(sessionId)
  const { head } = state
  const reader = new PathReader(
    { reads, recent },
    sessionId,
    head,
    await visibleRanges(reads, sessionId, head),
  )
  if (options.after !== undefined) return newerPage(reader, head, cursorOf(options.after), limit)
  const before = options.before === undefined ? head.seq + 1 : cursorOf(options.before)
  return olderPage(reader, head, before, limit, options.before === undefined)
}

/** The path of a session is never read before something moved it. */
async function visibleRanges(reads: LogReads, sessionId: string, { seq, pathSeq }: Head): Promise<Range[]> {
  const path = pathSeq === 0 ? undefined : (await reads.readParts(sessionId, ['path'], seq)).path
  return closePath(path?.ranges ?? [{ from: 1 }], seq)
}

async function olderPage(
  reader: PathReader,
  head: Head,
  before: number,
  limit: number,
  isNewest: boolean,
): Promise<MessagePage> {
  const waiting = isNewest ? await reader.waiting(head) : []
  const gathered = new Gathered(limit - waiting.length)
  const isFull = () => gathered.isEnough && !gathered.endsInResult
  const reachedStart = await reader.backward(before, gathered, isFull)
  const { entries } = gathered
  entries.reverse()
  // A page that waiting input fills alone has no entry: what is older begins where it began.
  const oldest = entries[0]?.position ?? before
  return {
    messages: [...entries.flatMap(({ messages }) => messages), ...waiting],
    ...(!reachedStart && { older: String(oldest) }),
    newer: String(entries.at(-1)?.position ?? before - 1),
  }
}

async function newerPage(reader: PathReader, head: Head, after: number, limit: number): Promise<MessagePage> {
  const gathered = new Gathered(limit)
  const isFull = (next: Entry) => gathered.isEnough && next.messages[0]?.role !== 'tool'
  const reachedEnd = await reader.forward(after, gathered, isFull)
  const { entries } = gathered
  const first = entries[0]
  return {
    messages: [
      ...entries.flatMap(({ messages }) => messages),
      ...(reachedEnd ? await reader.waiting(head) : []),
    ],
    ...(first && after > 0 && { older: String(first.position) }),
    newer: String(entries.at(-1)?.position ?? after),
  }
}

/** Entries of a page in the making, in the order they were read. */
class Gathered {
  readonly entries: Entry[] = []
  readonly #wanted: number
  #count = 0

  constructor(wanted: number) {
    this.#wanted = wanted
  }

  add(entry: Entry): void {
    this.entries.push(entry)
    this.#count += entry.messages.length
  }

  get missing(): number {
    return Math.max(this.#wanted - this.#count, 0)
  }

  get isEnough(): boolean {
    return this.#count >= this.#wanted
  }

  /** The last one read is a result: going back, its call is still to come. */
  get endsInResult(): boolean {
    return this.entries.at(-1)?.messages[0]?.role === 'tool'
  }
}

function cursorOf(text: string): number {
  if (/^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new HoldfastError(
    'invalid_cursor',
    'not a cursor of a page of messages; use `older` or `newer` of one.',
  )
}

/** Rows read beyond the messages that are missing, once it is seen that other events stand between them. */
const slack = 2

type IsFull = (next: Entry) => boolean

class PathReader {
  readonly #reads: LogReads
  readonly #recent: RecentRows
  readonly #sessionId: string
  readonly #head: Head
  readonly #ranges: readonly Range[]

  constructor({ reads, recent }: MessageReads, sessionId: string, head: Head, ranges: readonly Range[]) {
    this.#reads = reads
    this.#recent = recent
    this.#sessionId = sessionId
    this.#head = head
    this.#ranges = ranges
  }

  /** Adds what stands before `before`, newest first, until it is full. True when the beginning was reached. */
  async backward(before: number, gathered: Gathered, isFull: IsFull): Promise<boolean> {
    for (const { from, to } of this.#ranges.toReversed()) {
      let end = Math.min(to, before - 1)
      while (end >= from) {
        const rows = await this.#rows(from - 1, end, 'backward', gathered)
        if (await this.#addUntil(rows, gathered, isFull)) return false
        end = (rows.at(-1)?.seq ?? from) - 1
      }
    }
    return true
  }

  /** Adds what stands after `after`, oldest first, until it is full. True when the end was reached. */
  async forward(after: number, gathered: Gathered, isFull: IsFull): Promise<boolean> {
    for (const { from, to } of this.#ranges) {
      let start = Math.max(from - 1, after)
      while (start < to) {
        const rows = await this.#rows(start, to, 'forward', gathered)
        if (await this.#addUntil(rows, gathered, isFull)) return false
        start = rows.at(-1)?.seq ?? to
      }
    }
    return true
  }

  async #addUntil(rows: readonly StoredEvent[], gathered: Gathered, isFull: IsFull): Promise<boolean> {
    for (const row of rows) {
      const entry = row.type === 'input.delivered' ? await this.#delivered(row) : this.#entry(row)
      if (!entry) continue
      if (isFull(entry)) return true
      gathered.add(entry)
    }
    return false
  }

  /** Input that no run has taken in yet. */
  waiting(head: Head): Promise<Message[]> {
    return this.#messages(
      head.waiting.map(({ messageId }) => messageId),
      true,
    )
  }

  /** The first read takes one row per message, which is all it needs where nothing else stands between them. */
  #rows(after: number, through: number, direction: 'forward' | 'backward', gathered: Gathered) {
    const wanted = gathered.missing + (gathered.entries.length === 0 ? 1 : slack)
    const limit = Math.min(through - after, wanted)
    const range = { after, through, limit }
    return direction === 'backward'
      ? this.#recent.backward(this.#sessionId, this.#head, range)
      : this.#reads.readRows(this.#sessionId, range)
  }

  async #delivered(row: StoredEvent): Promise<Entry> {
    const { messageIds } = decodeEvent(row, this.#reads.upcasters).data as EventData<'input.delivered'>
    return { position: row.seq, messages: await this.#messages(messageIds, false) }
  }

  #entry(row: StoredEvent): Entry | undefined {
    if (row.type !== 'message.appended' && row.type !== 'tool.finished') return undefined
    const message = messageOf(decodeEvent(row, this.#reads.upcasters))
    return message && message.waiting === undefined ? { position: row.seq, messages: [message] } : undefined
  }

  async #messages(ids: readonly string[], asWaiting: boolean): Promise<Message[]> {
    const found: Message[] = []
    for (const id of ids) {
      const event = await this.#reads.getEvent(this.#sessionId, await this.#seqOf(id))
      const message = event && messageOf(event)
      if (!message) continue
      const { waiting, ...taken } = message
      found.push(asWaiting ? message : taken)
    }
    return found
  }

  async #seqOf(id: string): Promise<number> {
    if (/^\d+$/.test(id)) return Number(id)
    const { store, tenantId } = this.#reads
    return (await store.readRefs(tenantId, this.#sessionId, 'message', id)).at(-1) ?? 0
  }
}
