import type { EventType } from '@holdfast/protocol'
import { type Deciding, readEvent, readRefs, refuse } from '../deciding.ts'
import type { Head } from '../state.ts'

export function* requireNewMessageId(head: Head, messageId: string | undefined): Deciding<void> {
  if (messageId === undefined) return
  const [seq] = yield* readRefs('message', messageId)
  if (seq !== undefined)
    refuse('duplicate_id', `message ${messageId} of session ${head.id} exists at seq ${seq}`, { seq })
}

/** Seq of a message by its id, which is its seq unless it was chosen. */
export function* findMessage(head: Head, messageId: string): Deciding<number | undefined> {
  if (!/^\d+$/.test(messageId)) return (yield* readRefs('message', messageId)).at(-1)
  const seq = Number(messageId)
  if (seq < 1 || seq > head.seq) return undefined
  const event = yield* readEvent(seq)
  return event && carriers.has(event.type) ? seq : undefined
}

/** A tool result is a message too. */
const carriers: ReadonlySet<string> = new Set<EventType>(['message.appended', 'tool.finished'])
