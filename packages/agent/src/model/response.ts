/** What a provider keeps of its answers, so that later requests may refer to it: a response by its id, and what is in it. */
import type { ProviderMessage } from '@holdfast/core'
import { externalId, type Json, type JsonObject, type MessagePart } from '@holdfast/protocol'
import { CONTENT_PART, RESPONSE_PART } from './reply.ts'
import { unwrapped } from './storable.ts'

/** A response that a later request may go on from. */
export interface KeptResponse {
  id: string
  /** The provider's key in `providerOptions`. */
  key: string
}

/** Undefined: the message is no answer of a provider that keeps them. */
export function keptResponse(parts: readonly MessagePart[]): KeptResponse | undefined {
  const part = parts.find((one) => one.type === 'data' && one.name === RESPONSE_PART)
  const metadata = objectOf(part?.type === 'data' ? objectOf(part.data).metadata : undefined)
  for (const [key, value] of Object.entries(unwrapped(metadata))) {
    const { responseId } = objectOf(value)
    if (externalId.safeParse(responseId).success) return { id: String(responseId), key }
  }
  return undefined
}

/** Hosts may append messages with parts of these names. */
function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

/** The message without anything that only refers to what a provider keeps: its words, calls and results. */
export function inFull(message: ProviderMessage): ProviderMessage {
  if (message.role !== 'assistant') return message
  return { ...message, parts: message.parts.flatMap(ownWords) }
}

function ownWords(part: MessagePart): MessagePart[] {
  switch (part.type) {
    case 'reasoning':
      return []
    case 'data':
      return part.name === CONTENT_PART ? [] : [part]
    case 'text':
    case 'tool_call': {
      const { provider: _provider, ...words } = part
      return [words]
    }
    default:
      return [part]
  }
}
