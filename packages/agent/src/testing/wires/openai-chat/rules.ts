/** What OpenAI's Chat Completions refuses, in its own words. */
import type { JsonObject } from '@holdfast/protocol'
import { objectOf, objectsIn, repeated, textOf } from '../../json-shapes.ts'
import { openAiRefusal } from '../openai-error.ts'
import type { Refusal, Rule } from '../wire.ts'

export interface ChatRequest {
  messages: readonly JsonObject[]
}

export function chatRequest(body: JsonObject): ChatRequest {
  return { messages: objectsIn(body.messages) }
}

const roles = ['system', 'developer', 'user', 'assistant', 'tool']
const longestId = 40

/** In the order in which they are judged. */
export const chatRules = {
  'there is a message': ({ messages }) =>
    messages.length > 0
      ? undefined
      : openAiRefusal(
          "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
          { param: 'messages', code: 'empty_array' },
        ),

  'roles are known': at(({ role }, place) =>
    roles.includes(textOf(role))
      ? undefined
      : invalid(`${place}.role`, `'${role}'. Supported values are: 'system', 'assistant', 'user', 'tool'.`),
  ),

  'only the assistant calls tools': at(({ role, tool_calls }, place) =>
    tool_calls === undefined || role === 'assistant'
      ? undefined
      : invalid(place, `Additional properties are not allowed ('tool_calls' was unexpected)`),
  ),

  'tool_calls are absent or some': at(({ tool_calls }, place) =>
    tool_calls === undefined || objectsIn(tool_calls).length > 0
      ? undefined
      : openAiRefusal(
          `Invalid '${place}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
          { param: `${place}.tool_calls`, code: 'empty_array' },
        ),
  ),

  'every message has content': at(({ role, content, tool_calls }, place) => {
    const needless = role === 'assistant' && tool_calls !== undefined
    if (typeof content === 'string' || needless) return undefined
    if (objectsIn(content).length > 0) return undefined
    return invalid(`${place}.content`, 'expected a string, got null.')
  }),

  'arguments are a text': at((message, place) => {
    const bad = callsOf(message).findIndex(({ function: called }) => {
      return typeof objectOf(called).arguments !== 'string'
    })
    return bad === -1
      ? undefined
      : invalid(`${place}.tool_calls[${bad}].function.arguments`, 'expected a string, but got an object.')
  }),

  'call ids have at most 40 characters': at((message, place) => {
    const bad = idsOf(message).findIndex((id) => id.length > longestId)
    return bad === -1
      ? undefined
      : openAiRefusal(
          `Invalid '${place}.tool_calls[${bad}].id': string too long. Expected a string with maximum length ${longestId}.`,
          { param: `${place}.tool_calls[${bad}].id`, code: 'string_above_max_length' },
        )
  }),

  'ids of one message are unique': at((message, place) => {
    const twice = repeated(idsOf(message))
    return twice === undefined
      ? undefined
      : openAiRefusal(`Duplicate value for 'tool_call_id' of '${twice}' in message with role 'assistant'`, {
          param: place,
        })
  }),

  'a tool message answers an open call': ({ messages }) => {
    for (const [i, { open }] of walk(messages).entries()) {
      const { role, tool_call_id } = messages[i] as JsonObject
      if (role === 'tool' && !open.includes(textOf(tool_call_id)))
        return openAiRefusal(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          { param: `messages.[${i}].role` },
        )
    }
    return undefined
  },

  'every call is answered before anything else is said': ({ messages }) => {
    const steps = walk([...messages, { role: 'end' }])
    const at = steps.findIndex(({ role, open }) => role !== 'tool' && open.length > 0)
    return at === -1
      ? undefined
      : openAiRefusal(
          `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${steps[at]?.open.join(', ')}`,
          { param: `messages.[${at}].role` },
        )
  },
} as const satisfies Record<string, Rule<ChatRequest>>

/** Before each message: the calls that still wait for theirs. */
function walk(messages: readonly JsonObject[]): { role: string; open: string[] }[] {
  let open: string[] = []
  return messages.map((message) => {
    const step = { role: textOf(message.role), open }
    if (message.role === 'tool') open = open.filter((id) => id !== message.tool_call_id)
    else open = idsOf(message)
    return step
  })
}

function at(judge: (message: JsonObject, place: string) => Refusal | undefined): Rule<ChatRequest> {
  return ({ messages }) => {
    for (const [i, message] of messages.entries()) {
      const refusal = judge(message, `messages[${i}]`)
      if (refusal) return refusal
    }
    return undefined
  }
}

function invalid(param: string, why: string): Refusal {
  return openAiRefusal(`Invalid value for '${param}': ${why}`, { param })
}

function callsOf({ tool_calls }: JsonObject): JsonObject[] {
  return objectsIn(tool_calls)
}

function idsOf(message: JsonObject): string[] {
  return callsOf(message).map(({ id }) => textOf(id))
}
