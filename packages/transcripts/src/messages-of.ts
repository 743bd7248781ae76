import type { Message, SessionEvent } from '@holdfast/protocol'
import type { ExportedSession } from './contract.ts'

/** A page of the log in a read of all of it: small, so that a session of any length takes as little memory. */
export const eventPage = { limit: 50, maxBytes: 256 * 1024 }

/** The visible messages from the first on, a page at a time. What waits ends every page that reaches the end: it is given once. */
export async function* messagesOf(session: ExportedSession): AsyncGenerator<Message> {
  let after = '0'
  for (;;) {
    const { messages, newer } = await session.messages({ after, limit: 200 })
    const entered = messages.filter(({ waiting }) => waiting === undefined)
    if (entered.length === 0) {
      yield* messages
      return
    }
    yield* entered
    after = newer
  }
}

/** Every event of the log from the first on, a page at a time. */
export async function* eventsOf(session: ExportedSession): AsyncGenerator<SessionEvent> {
  let after = 0
  for (;;) {
    const { events, more } = await session.events({ after, ...eventPage })
    yield* events
    after = events.at(-1)?.seq ?? after
    if (!more) return
  }
}
