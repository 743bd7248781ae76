/**
 * A provider wants each call id once in a request, and some models give the same ids in every round. A call that repeats
 * one is sent, with its result, under a new id. It depends on what stands before it only, so that a longer view begins
 * with the bytes of a shorter one.
 */
import type { Message, MessagePart } from '@holdfast/protocol'

type Sent = Pick<Message, 'role' | 'parts'>

export function distinctCalls<T extends Sent>(view: readonly T[]): T[] {
  const sent = new Set<string>()
  let renamed = new Map<string, string>()
  return view.map((message) => {
    if (message.role === 'assistant') renamed = newIds(callIds(message), sent)
    if (renamed.size === 0) return message
    return { ...message, parts: message.parts.map((part) => withId(part, renamed)) }
  })
}

function callIds({ parts }: Sent): string[] {
  return parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
}

/** The new ids of those that were sent before; all of them count as sent now. */
function newIds(ids: readonly string[], sent: Set<string>): Map<string, string> {
  const repeated = ids.filter((id) => sent.has(id))
  for (const id of ids) sent.add(id)
  const renamed = new Map<string, string>()
  for (const id of repeated) {
    let nth = 2
    while (sent.has(`${id}_${nth}`)) nth += 1
    renamed.set(id, `${id}_${nth}`)
    sent.add(`${id}_${nth}`)
  }
  return renamed
}

function withId(part: MessagePart, renamed: ReadonlyMap<string, string>): MessagePart {
  if (part.type !== 'tool_call' && part.type !== 'tool_result') return part
  const callId = renamed.get(part.callId)
  return callId === undefined ? part : { ...part, callId }
}
