/** An answer as OpenAI's Responses gives it: items, each with an id. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { Answer } from '../../answer.ts'
import type { AnswerPart } from '../../answer-part.ts'
import { piecesOf } from '../../pieces.ts'
import type { SseEvent } from '../wire.ts'

export function responseIdOf({ id }: Answer): string {
  return `resp_${id}`
}

export function outputOf(answer: Answer, body: JsonObject): JsonObject[] {
  return answer.parts.map((part, i) => itemOf(part, `${answer.id}_${i}`, answer, body))
}

function itemOf(part: AnswerPart, id: string, answer: Answer, body: JsonObject): JsonObject {
  switch (part.type) {
    case 'text':
      return {
        ...{ type: 'message', id: `msg_${id}`, role: 'assistant', content: [textContent(part.text)] },
        status: answer.finish === 'length' ? 'incomplete' : 'completed',
        phase: answer.finish === 'tool_calls' ? 'commentary' : 'final_answer',
      }
    case 'reasoning':
      return {
        ...{ type: 'reasoning', id: `rs_${id}`, summary: summaryOf(part.text) },
        ...(wantsEncrypted(body) && { encrypted_content: part.encrypted }),
      }
    case 'tool_call':
      return {
        ...{ type: 'function_call', id: `fc_${id}`, status: 'completed' },
        ...{ call_id: part.callId, name: part.name, arguments: part.arguments },
      }
  }
}

function wantsEncrypted({ include }: JsonObject): boolean {
  return Array.isArray(include) && include.includes('reasoning.encrypted_content')
}

export function responsesWhole(answer: Answer, body: JsonObject): JsonObject {
  return { ...envelope(answer, body), ...ending(answer), output: outputOf(answer, body) }
}

export function responsesStream(answer: Answer, body: JsonObject, pieceSize: number): SseEvent[] {
  const output = outputOf(answer, body)
  const started = { ...envelope(answer, body), status: 'in_progress', output: [], usage: null }
  const ended = responsesWhole(answer, body)
  const events = [
    event('response.created', { response: started }),
    event('response.in_progress', { response: started }),
    ...answer.parts.flatMap((part, i) => itemEvents(part, output[i] as JsonObject, i, pieceSize)),
    event(answer.finish === 'length' ? 'response.incomplete' : 'response.completed', { response: ended }),
  ]
  return events.map(({ event: type, data }, i) => numbered(type, data, i))
}

function numbered(type: string | undefined, data: Json, sequence: number): SseEvent {
  return { ...(type && { event: type }), data: { ...(data as JsonObject), sequence_number: sequence } }
}

function itemEvents(part: AnswerPart, item: JsonObject, index: number, pieceSize: number): SseEvent[] {
  const place = { item_id: String(item.id), output_index: index }
  return [
    event('response.output_item.added', { output_index: index, item: { ...item, ...emptied(part) } }),
    ...contentEvents(part, place, pieceSize),
    event('response.output_item.done', { output_index: index, item }),
  ]
}

/** The item as it begins. */
function emptied(part: AnswerPart): JsonObject {
  if (part.type === 'text') return { content: [], status: 'in_progress' }
  return part.type === 'reasoning' ? { summary: [] } : { arguments: '', status: 'in_progress' }
}

function contentEvents(part: AnswerPart, place: JsonObject, pieceSize: number): SseEvent[] {
  switch (part.type) {
    case 'text': {
      const at = { ...place, content_index: 0 }
      return [
        event('response.content_part.added', { ...at, part: textContent('') }),
        ...piecesOf(part.text, pieceSize).map((delta) =>
          event('response.output_text.delta', { ...at, delta }),
        ),
        event('response.output_text.done', { ...at, text: part.text }),
        event('response.content_part.done', { ...at, part: textContent(part.text) }),
      ]
    }
    case 'reasoning': {
      const at = { ...place, summary_index: 0 }
      if (part.text === '') return []
      return [
        event('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' } }),
        ...piecesOf(part.text, pieceSize).map((delta) =>
          event('response.reasoning_summary_text.delta', { ...at, delta }),
        ),
        event('response.reasoning_summary_part.done', {
          ...at,
          part: { type: 'summary_text', text: part.text },
        }),
      ]
    }
    case 'tool_call':
      return [
        ...piecesOf(part.arguments, pieceSize).map((delta) =>
          event('response.function_call_arguments.delta', { ...place, delta }),
        ),
        event('response.function_call_arguments.done', { ...place, arguments: part.arguments }),
      ]
  }
}

function envelope(answer: Answer, { store, previous_response_id }: JsonObject): JsonObject {
  const { model, createdAt } = answer
  return {
    ...{ id: responseIdOf(answer), object: 'response', created_at: createdAt, model, error: null },
    ...{ store: store !== false, previous_response_id: previous_response_id ?? null },
    metadata: { scripted: 'true' },
  }
}

function ending(answer: Answer): JsonObject {
  const isCut = answer.finish === 'length' || answer.finish === 'content_filter'
  const reason = answer.finish === 'length' ? 'max_output_tokens' : 'content_filter'
  return {
    status: isCut ? 'incomplete' : 'completed',
    incomplete_details: isCut ? { reason } : null,
    usage: usageOf(answer),
  }
}

function textContent(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [] }
}

function summaryOf(text: string): JsonObject[] {
  return text === '' ? [] : [{ type: 'summary_text', text }]
}

function usageOf({ usage }: Answer): JsonObject {
  return {
    input_tokens: usage.promptTokens,
    input_tokens_details: {
      cached_tokens: usage.cachedReadTokens,
      cache_write_tokens: usage.cachedWriteTokens,
    },
    output_tokens: usage.completionTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.promptTokens + usage.completionTokens,
  }
}

function event(type: string, fields: JsonObject): SseEvent & { data: JsonObject } {
  return { event: type, data: { type, ...fields } }
}
