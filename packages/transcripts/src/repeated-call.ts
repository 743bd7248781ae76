/** Of two calls with one id in a message a result could not say which it answers: the second is kept as data. */
import type { JsonObject, MessagePart, ToolCallPart } from '@holdfast/protocol'

export const repeatedCalls = 'calls with the id of another call, kept as data'

const name = 'repeated_call'

export function repeatedCall(part: ToolCallPart): MessagePart {
  return { type: 'data', name, data: { ...part } as JsonObject }
}

export function isRepeatedCall(part: MessagePart): boolean {
  return part.type === 'data' && part.name === name
}
