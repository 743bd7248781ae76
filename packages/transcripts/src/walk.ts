/** A session from its first event on: the messages that are visible where they entered, and the other events between them. */
import { isKnown, type Message, type SessionEvent } from '@holdfast/protocol'
import type { ExportedSession } from './contract.ts'
import { eventsOf, messagesOf } from './messages-of.ts'

export type Walked = { message: Message; event: SessionEvent } | { message?: undefined; event: SessionEvent }

const messageTypes = ['message.appended', 'tool.finished']

/** Input that waited stands where it was delivered; what waits still stands at the end. */
export async function* walk(session: ExportedSession): AsyncGenerator<Walked> {
  const messages = messagesOf(session)
  let next = await messages.next()
  let last: SessionEvent | undefined
  for await (const event of eventsOf(session)) {
    last = event
    if (isKnown(event, 'input.delivered')) {
      while (!next.done && event.data.messageIds.includes(next.value.id)) {
        yield { message: next.value, event }
        next = await messages.next()
      }
    }
    if (!messageTypes.includes(event.type)) yield { event }
    else if (!next.done && next.value.seq === event.seq) {
      yield { message: next.value, event }
      next = await messages.next()
    }
  }
  for (; last && !next.done; next = await messages.next()) yield { message: next.value, event: last }
}
