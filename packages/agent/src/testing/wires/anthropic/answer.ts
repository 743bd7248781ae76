/** An answer as Anthropic's Messages gives it. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Answer } from '../../answer.ts'
import type { AnswerPart } from '../../answer-part.ts'
import { piecesOf } from '../../pieces.ts'
import type { SseEvent } from '../wire.ts'

const stopReasons = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
} as const

export function anthropicWhole(answer: Answer): JsonObject {
  return {
    ...envelope(answer),
    content: answer.parts.map(block),
    stop_reason: stopReasons[answer.finish],
    usage: usageOf(answer),
  }
}

export function anthropicStream(answer: Answer, pieceSize: number): SseEvent[] {
  const usage = usageOf(answer)
  return [
    event('message_start', {
      message: { ...envelope(answer), content: [], stop_reason: null, usage: { ...usage, output_tokens: 0 } },
    }),
    ...answer.parts.flatMap((part, index) => blockEvents(part, index, pieceSize)),
    event('message_delta', {
      delta: { stop_reason: stopReasons[answer.finish], stop_sequence: null },
      usage,
    }),
    event('message_stop', {}),
  ]
}

function envelope({ id, model }: Answer): JsonObject {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null }
}

/** A whole answer has no way to hold broken JSON: it is given as the text that it is. */
function block(part: AnswerPart): JsonObject {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'reasoning':
      return { type: 'thinking', thinking: part.text, signature: part.signature }
    case 'tool_call':
      return { type: 'tool_use', id: part.callId, name: part.name, input: parsed(part.arguments) }
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function blockEvents(part: AnswerPart, index: number, pieceSize: number): SseEvent[] {
  return [
    event('content_block_start', { index, content_block: opening(part) }),
    ...deltas(part, pieceSize).map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ]
}

function opening(part: AnswerPart): JsonObject {
  if (part.type === 'text') return { type: 'text', text: '' }
  if (part.type === 'reasoning') return { type: 'thinking', thinking: '', signature: '' }
  return { type: 'tool_use', id: part.callId, name: part.name, input: {} }
}

function deltas(part: AnswerPart, pieceSize: number): JsonObject[] {
  if (part.type === 'text')
    return piecesOf(part.text, pieceSize).map((text) => ({ type: 'text_delta', text }))
  if (part.type === 'tool_call')
    return piecesOf(part.arguments, pieceSize).map((json) => ({
      type: 'input_json_delta',
      partial_json: json,
    }))
  const thinking = piecesOf(part.text, pieceSize).map((text) => ({ type: 'thinking_delta', thinking: text }))
  return [...thinking, { type: 'signature_delta', signature: part.signature }]
}

/** Here, cached tokens are beside the input tokens and not inside. */
function usageOf({ usage }: Answer): JsonObject {
  return {
    input_tokens: usage.promptTokens - usage.cachedReadTokens - usage.cachedWriteTokens,
    cache_read_input_tokens: usage.cachedReadTokens,
    cache_creation_input_tokens: usage.cachedWriteTokens,
    output_tokens: usage.completionTokens,
  }
}

function event(type: string, fields: JsonObject): SseEvent {
  return { event: type, data: { type, ...fields } }
}
