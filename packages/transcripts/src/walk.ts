/** A session from its first event on: the messages that are visible where they stand, and the other events between them. */
import type { Message, SessionEvent } from '@holdfast/protocol'
import type { ExportedSession } from './contract.ts'
import { eventsOf, messagesOf } from './messages-of.ts'

export type Walked = { message: Message; event: SessionEvent } | { message?: undefined; event: SessionEvent }

const messageTypes = ['message.appended', 'tool.finished']

export async function* walk(session: ExportedSession): AsyncGenerator<Walked> {
  const messages = messagesOf(session)
  let next = await messages.next()
  for await (const event of eventsOf(session)) {
    if (!messageTypes.includes(event.type)) {
      yield { event }
      continue
    }
    while (!next.done && next.value.seq < event.seq) next = await messages.next()
    if (!next.done && next.value.seq === event.seq) yield { message: next.value, event }
  }
}
