/** A session as entries in the order of the log: the visible messages, with what stands between them. */
import type { Message, ToolResultPart } from '@holdfast/protocol'
import type { PlaceSession } from '../place/place.ts'
import { type Mark, Marks } from './marks.ts'

export interface MessageEntry {
  type: 'message'
  message: Message
  /** Of the calls that the message makes, by call id. */
  results: Readonly<Record<string, ToolResultPart>>
}

export type Entry = MessageEntry | Mark

const pageItems = 200

/** What stands after `after`; 0 for all. Read page by page, so the first entries are there at once. */
export async function* entriesOf(session: PlaceSession, after: number): AsyncGenerator<Entry> {
  const marks = new Ahead(marksOf(session, after))
  for await (const entry of messagesOf(session, after)) {
    yield* marks.before(entry.message.seq)
    yield entry
  }
  yield* marks.before(Number.POSITIVE_INFINITY)
}

/** What waits ends every page that reaches the end: it is given once. */
async function* messagesOf(session: PlaceSession, from: number): AsyncGenerator<MessageEntry> {
  for (let after = String(from); ; ) {
    const { messages, newer } = await session.messages({ after, limit: pageItems })
    const entered = messages.filter(({ waiting }) => waiting === undefined)
    yield* messageEntries(entered.length > 0 ? entered : messages)
    if (entered.length === 0) return
    after = newer
  }
}

/** A result goes to the last call before it that has its id; one whose call is not among these messages is an entry of its own. */
export function messageEntries(messages: readonly Message[]): MessageEntry[] {
  const callers = new Map<string, Record<string, ToolResultPart>>()
  return messages.flatMap((message) => {
    const results: Record<string, ToolResultPart> = {}
    for (const callId of callsOf(message)) callers.set(callId, results)
    const told = resultsOf(message)
    for (const part of told) Object.assign(callers.get(part.callId) ?? {}, { [part.callId]: part })
    const isElsewhere = message.role === 'tool' && told.every(({ callId }) => callers.has(callId))
    return isElsewhere ? [] : [{ type: 'message', message, results }]
  })
}

function callsOf({ parts }: Message): string[] {
  return parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
}

function resultsOf({ parts }: Message): ToolResultPart[] {
  return parts.filter((part) => part.type === 'tool_result')
}

async function* marksOf(session: PlaceSession, from: number): AsyncGenerator<Mark> {
  const marks = new Marks()
  for (let after = from; ; ) {
    const { events, more } = await session.events({ after, limit: pageItems })
    for (const event of events) yield* marks.of(event)
    const last = events.at(-1)
    if (!more || !last) return
    after = last.seq
  }
}

/** Gives what comes before a seq, and keeps the one that was read too far. */
class Ahead {
  readonly #marks: AsyncGenerator<Mark>
  #next: Mark | undefined

  constructor(marks: AsyncGenerator<Mark>) {
    this.#marks = marks
  }

  async *before(seq: number): AsyncGenerator<Mark> {
    for (;;) {
      if (!this.#next) {
        const read = await this.#marks.next()
        if (read.done) return
        this.#next = read.value
      }
      if (this.#next.seq > seq) return
      yield this.#next
      this.#next = undefined
    }
  }
}
