/** An answer as OpenAI's Chat Completions gives it. It has no place for reasoning but its count. */
import type { JsonObject } from '@holdfast/protocol'
import type { Answer } from '../../answer.ts'
import type { AnswerPart } from '../../answer-part.ts'
import { objectOf } from '../../json-shapes.ts'
import { piecesOf } from '../../pieces.ts'
import type { SseEvent } from '../wire.ts'

export function chatWhole(answer: Answer): JsonObject {
  const text = answer.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')
  const calls = callsOf(answer).map(({ callId, name, arguments: args }) => {
    return { id: callId, type: 'function', function: { name, arguments: args } }
  })
  const message = { role: 'assistant', content: text || null, ...(calls.length > 0 && { tool_calls: calls }) }
  return {
    ...envelope(answer, 'chat.completion'),
    choices: [{ index: 0, message, finish_reason: answer.finish }],
    usage: usageOf(answer),
  }
}

export function chatStream(answer: Answer, body: JsonObject, pieceSize: number): SseEvent[] {
  const chunk = (delta: JsonObject, finish: string | null = null): SseEvent => {
    const choices = [{ index: 0, delta, finish_reason: finish }]
    return { data: { ...envelope(answer, 'chat.completion.chunk'), choices } }
  }
  const calls = callsOf(answer)
  const counted = objectOf(body.stream_options).include_usage === true
  return [
    chunk({ role: 'assistant', content: '' }),
    ...answer.parts.flatMap((part) => {
      if (part.type === 'text') return piecesOf(part.text, pieceSize).map((content) => chunk({ content }))
      if (part.type === 'reasoning') return []
      return callDeltas(part, calls.indexOf(part), pieceSize).map((call) => chunk({ tool_calls: [call] }))
    }),
    chunk({}, answer.finish),
    ...(counted
      ? [{ data: { ...envelope(answer, 'chat.completion.chunk'), choices: [], usage: usageOf(answer) } }]
      : []),
    { data: '[DONE]' },
  ]
}

type Call = Extract<AnswerPart, { type: 'tool_call' }>

function callsOf({ parts }: Answer): Call[] {
  return parts.filter((part) => part.type === 'tool_call')
}

function callDeltas({ callId, name, arguments: args }: Call, index: number, pieceSize: number): JsonObject[] {
  return [
    { index, id: callId, type: 'function', function: { name, arguments: '' } },
    ...piecesOf(args, pieceSize).map((piece) => ({ index, function: { arguments: piece } })),
  ]
}

function envelope({ id, model, createdAt }: Answer, object: string): JsonObject {
  return { id: `chatcmpl-${id}`, object, created: createdAt, model, system_fingerprint: 'scripted' }
}

function usageOf({ usage }: Answer): JsonObject {
  return {
    prompt_tokens: usage.promptTokens,
    completion_tokens: usage.completionTokens,
    total_tokens: usage.promptTokens + usage.completionTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cachedReadTokens,
      cache_write_tokens: usage.cachedWriteTokens,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  }
}
