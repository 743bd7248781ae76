/** What OpenAI's Responses refuses, in its own words. */
import type { JsonObject } from '@holdfast/protocol'
import { encryptedOf } from '../../answer.ts'
import { objectsIn, repeated, textOf } from '../../json-shapes.ts'
import { openAiRefusal } from '../openai-error.ts'
import type { Refusal, Rule } from '../wire.ts'
import type { StoredResponses } from './responses.ts'

export interface ResponsesRequest {
  body: JsonObject
  stored: StoredResponses
  /** As they were sent, without what came before. */
  sent: readonly JsonObject[]
  /** What the model would read: kept items first, references in place. */
  items: readonly JsonObject[]
}

export function responsesRequest(body: JsonObject, stored: StoredResponses): ResponsesRequest {
  const sent = typeof body.input === 'string' ? [userMessage(body.input)] : objectsIn(body.input)
  const before = stored.conversation(textOf(body.previous_response_id)) ?? []
  const items = sent.map((item) => (isReference(item) ? (stored.item(textOf(item.id)) ?? item) : item))
  return { body, stored, sent, items: [...before, ...items] }
}

function userMessage(text: string): JsonObject {
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text }] }
}

const longestId = 64

/** In the order in which they are judged. */
export const responsesRules = {
  'the previous response is known': ({ body, stored }) => {
    const id = textOf(body.previous_response_id)
    return id === '' || stored.conversation(id)
      ? undefined
      : openAiRefusal(`Previous response with id '${id}' not found.`, {
          param: 'previous_response_id',
          code: 'previous_response_not_found',
        })
  },

  'there is input': ({ sent }) =>
    sent.length > 0
      ? undefined
      : openAiRefusal("Missing required parameter: 'input'.", {
          param: 'input',
          code: 'missing_required_parameter',
        }),

  'a referenced item is stored': ({ sent, stored }) => {
    const lost = sent.find((item) => isReference(item) && !stored.item(textOf(item.id)))
    return lost && notFound(lost)
  },

  'reasoning is stored or encrypted': ({ items, stored }) => {
    const lost = items.find((item) => {
      return item.type === 'reasoning' && !isEncrypted(item) && !stored.item(textOf(item.id))
    })
    return lost && notFound(lost)
  },

  'encrypted reasoning was encrypted here': ({ items, stored }) => {
    const forged = items.find((item) => isEncrypted(item) && !isReadable(item, stored))
    return (
      forged &&
      openAiRefusal(`The encrypted content for item ${forged.id} could not be verified.`, {
        code: 'invalid_encrypted_content',
      })
    )
  },

  'item ids are unique': ({ items }) => {
    const twice = repeated(items.flatMap(({ id }) => (typeof id === 'string' ? [id] : [])))
    return twice === undefined
      ? undefined
      : openAiRefusal(
          `Duplicate item found with id ${twice}. Remove duplicate items from your input and try again.`,
          { param: 'input' },
        )
  },

  'every message has content': at((item, place) => {
    if (!isMessage(item)) return undefined
    if (typeof item.content === 'string' || objectsIn(item.content).length > 0) return undefined
    return openAiRefusal(
      `Invalid '${place}.content': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      { param: `${place}.content`, code: 'empty_array' },
    )
  }),

  'call ids have at most 64 characters': at(({ call_id }, place) =>
    textOf(call_id).length <= longestId
      ? undefined
      : openAiRefusal(
          `Invalid '${place}.call_id': string too long. Expected a string with maximum length ${longestId}.`,
          { param: `${place}.call_id`, code: 'string_above_max_length' },
        ),
  ),

  'arguments are a text': at(({ type, arguments: args }, place) =>
    type !== 'function_call' || typeof args === 'string'
      ? undefined
      : openAiRefusal(`Invalid type for '${place}.arguments': expected a string.`, {
          param: `${place}.arguments`,
          code: 'invalid_type',
        }),
  ),

  'call ids are unique': ({ items }) => {
    const twice = repeated(idsOf(items, 'function_call'))
    return twice === undefined
      ? undefined
      : openAiRefusal(`Duplicate function call found with call_id ${twice}.`, { param: 'input' })
  },

  'every output has its call before it': ({ items }) => {
    for (const [i, { type, call_id }] of items.entries()) {
      if (type !== 'function_call_output') continue
      if (!idsOf(items.slice(0, i), 'function_call').includes(textOf(call_id)))
        return openAiRefusal(`No tool call found for function call output with call_id ${call_id}.`, {
          param: 'input',
        })
    }
    return undefined
  },

  'a call has one output': ({ items }) => {
    const twice = repeated(idsOf(items, 'function_call_output'))
    return twice === undefined
      ? undefined
      : openAiRefusal(`Duplicate function call output found with call_id ${twice}.`, { param: 'input' })
  },

  'every call has its output before the user speaks again': ({ items }) => {
    let open: string[] = []
    for (const item of items) {
      if (item.type === 'function_call') open = [...open, textOf(item.call_id)]
      if (item.type === 'function_call_output') open = open.filter((id) => id !== item.call_id)
      if (isMessage(item) && item.role === 'user' && open.length > 0) break
    }
    return open.length === 0
      ? undefined
      : openAiRefusal(`No tool output found for function call ${open[0]}.`, { param: 'input' })
  },

  'reasoning is followed by what it led to': ({ items }) => {
    const at = items.findIndex((item, i) => item.type === 'reasoning' && !isOutput(items[i + 1]))
    return at === -1
      ? undefined
      : openAiRefusal(
          `Item '${items[at]?.id}' of type 'reasoning' was provided without its required following item.`,
          { param: 'input' },
        )
  },

  'what reasoning led to comes with it': ({ items, stored }) => {
    for (const { id, type } of items) {
      const reason = stored.reasonOf(textOf(id))
      if (reason !== undefined && !items.some((item) => item.id === reason))
        return openAiRefusal(
          `Item '${id}' of type '${type}' was provided without its required 'reasoning' item: '${reason}'.`,
          { param: 'input' },
        )
    }
    return undefined
  },
} as const satisfies Record<string, Rule<ResponsesRequest>>

function at(judge: (item: JsonObject, place: string) => Refusal | undefined): Rule<ResponsesRequest> {
  return ({ sent }) => {
    for (const [i, item] of sent.entries()) {
      const refusal = judge(item, `input[${i}]`)
      if (refusal) return refusal
    }
    return undefined
  }
}

function notFound({ id }: JsonObject): Refusal {
  const message = `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`
  return openAiRefusal(message, { status: 404, param: 'input' })
}

function isReference({ type }: JsonObject): boolean {
  return type === 'item_reference'
}

function isEncrypted({ type, encrypted_content }: JsonObject): boolean {
  return type === 'reasoning' && typeof encrypted_content === 'string'
}

function isReadable({ encrypted_content, summary }: JsonObject, stored: StoredResponses): boolean {
  const text = objectsIn(summary).map((part) => textOf(part.text))
  return stored.gaveOut(textOf(encrypted_content)) || encrypted_content === encryptedOf(text.join(''))
}

/** A message may leave its type out. */
function isMessage({ type, role }: JsonObject): boolean {
  return type === 'message' || (type === undefined && role !== undefined)
}

/** What a model gives: only that can follow on its reasoning. */
function isOutput(item: JsonObject | undefined): boolean {
  if (item && isMessage(item)) return item.role === 'assistant'
  return item?.type === 'function_call' || item?.type === 'reasoning'
}

function idsOf(items: readonly JsonObject[], type: string): string[] {
  return items.flatMap((item) => (item.type === type ? [textOf(item.call_id)] : []))
}
