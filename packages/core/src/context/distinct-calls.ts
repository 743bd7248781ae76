/**
 * A provider wants each call id once in a request, and some models give the same ids in every round. A call that repeats
 * one is sent, with its result, under a new id. It depends on what stands before it only, so that a longer view begins
 * with the bytes of a shorter one.
 */
import type { Message, MessagePart } from '@holdfast/protocol'

type Sent = Pick<Message, 'role' | 'parts'>

export class DistinctCalls {
  readonly #sent = new Set<string>()
  #renamed: ReadonlyMap<string, string> = new Map()

  /** The message as it is sent after those before it; the same object when nothing of it changes. */
  next<T extends Sent>(message: T): T {
    return this.#next(message, [])
  }

  /** Messages as they would be sent next; what comes then is as if they had not been asked about. */
  peek<T extends Sent>(messages: readonly T[]): T[] {
    const before = this.#renamed
    const added: string[] = []
    const sent = messages.map((message) => this.#next(message, added))
    for (const id of added) this.#sent.delete(id)
    this.#renamed = before
    return sent
  }

  #next<T extends Sent>(message: T, added: string[]): T {
    if (message.role === 'assistant') this.#renamed = this.#newIds(callIds(message), added)
    const renamed = this.#renamed
    if (renamed.size === 0) return message
    return { ...message, parts: message.parts.map((part) => withId(part, renamed)) }
  }

  /** The new ids of those that were sent before; all of them count as sent now. */
  #newIds(ids: readonly string[], added: string[]): Map<string, string> {
    const repeated = ids.filter((id) => this.#sent.has(id))
    for (const id of ids) this.#add(id, added)
    const renamed = new Map<string, string>()
    for (const id of repeated) {
      let nth = 2
      while (this.#sent.has(`${id}_${nth}`)) nth += 1
      renamed.set(id, `${id}_${nth}`)
      this.#add(`${id}_${nth}`, added)
    }
    return renamed
  }

  #add(id: string, added: string[]): void {
    if (this.#sent.has(id)) return
    this.#sent.add(id)
    added.push(id)
  }
}

function callIds({ parts }: Sent): string[] {
  return parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
}

function withId(part: MessagePart, renamed: ReadonlyMap<string, string>): MessagePart {
  if (part.type !== 'tool_call' && part.type !== 'tool_result') return part
  const callId = renamed.get(part.callId)
  return callId === undefined ? part : { ...part, callId }
}
