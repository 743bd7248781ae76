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

/** Results go to their calls; one whose call is not among these messages is an entry of its own. */
export function messageEntries(messages: readonly Message[]): MessageEntry[] {
  const called = new Set(messages.flatMap((message) => callsOf(message)))
  const results = new Map(
    messages.flatMap((message) => resultsOf(message).map((part) => [part.callId, part])),
  )
  return messages
    .filter(
      (message) => message.role !== 'tool' || resultsOf(message).some(({ callId }) => !called.has(callId)),
    )
    .map((message) => {
      const own = callsOf(message).flatMap((callId) => {
        const result = results.get(callId)
        return result ? [[callId, result] as const] : []
      })
      return { type: 'message', message, results: Object.fromEntries(own) }
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
