/** The message that an event is, as a follower of the log sees it; undefined for events that are none. */
import { isErased, isKnown, type Message, type SessionEvent } from '@holdfast/protocol'

export function eventMessage(event: SessionEvent): Message | undefined {
  const { seq, at } = event
  if (isErased(event)) return undefined
  if (isKnown(event, 'message.appended')) {
    const { messageId, role, parts, author, finish, waiting } = event.data
    return {
      id: messageId ?? String(seq),
      seq,
      at,
      role,
      parts,
      ...(author !== undefined && { author }),
      ...(finish !== undefined && { finish }),
      ...(waiting !== undefined && { waiting }),
    }
  }
  if (isKnown(event, 'tool.finished')) {
    const { messageId, name, callId, output, outcome } = event.data
    return {
      id: messageId ?? String(seq),
      seq,
      at,
      role: 'tool',
      parts: [{ type: 'tool_result', callId, output, outcome }],
      ...(name !== undefined && { author: name }),
    }
  }
  return undefined
}
