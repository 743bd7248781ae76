import type { SessionEvent } from '@holdfast/protocol'
import type { NewMessage } from '../check-input.ts'

export function user(text: string, fields: Partial<NewMessage> = {}): NewMessage {
  return { role: 'user', parts: [{ type: 'text', text }], ...fields }
}

export function assistant(text: string, fields: Partial<NewMessage> = {}): NewMessage {
  return { role: 'assistant', parts: [{ type: 'text', text }], ...fields }
}

export function calling(...callIds: string[]): NewMessage {
  const parts = callIds.map((callId) => ({
    type: 'tool_call' as const,
    callId,
    name: 'look',
    input: { callId },
  }))
  return { role: 'assistant', parts }
}

export function result(callId: string, output = 'seen'): NewMessage {
  return { role: 'tool', parts: [{ type: 'tool_result', callId, output }] }
}

export function typesOf(events: readonly SessionEvent[]): string[] {
  return events.map(({ type }) => type)
}

export function textsOf(messages: readonly { parts: readonly { type: string }[] }[]): string[] {
  return messages.map(({ parts }) => {
    return parts.map((part) => ('text' in part ? String(part.text) : part.type)).join('')
  })
}
