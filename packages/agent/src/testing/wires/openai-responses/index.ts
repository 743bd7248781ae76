/** OpenAI's Responses, as the stub speaks it: it keeps what it answered, so that a request may go on from there. */
import type { JsonObject } from '@holdfast/protocol'
import { objectsIn, textOf } from '../../json-shapes.ts'
import { keyOfBearer, openAiErrorBody, openAiFaults, openAiRefusal } from '../openai-error.ts'
import { firstRefusal, type Wire } from '../wire.ts'
import { outputOf, responseIdOf, responsesStream, responsesWhole } from './answer.ts'
import { StoredResponses } from './responses.ts'
import { responsesRequest, responsesRules } from './rules.ts'

export function responsesWire(): Wire {
  const stored = new StoredResponses()
  const itemsOf = (body: JsonObject) => responsesRequest(body, stored).items
  return {
    name: 'openai-responses',
    path: '/v1/responses',
    keyOf: keyOfBearer,
    refusal: (body) => firstRefusal(responsesRules, responsesRequest(body, stored)),
    asked: (body) => askedOf(body, itemsOf(body)),
    conversation: (body) => JSON.stringify([body.instructions ?? null, body.tools ?? null, itemsOf(body)]),
    whole: responsesWhole,
    stream: responsesStream,
    refusalFor: ({ type }) => (type === 'context_length' ? tooLong : openAiFaults[type]()),
    errorBody: openAiErrorBody,
    errorEvent: ({ message, code, param }) => {
      const fields = { message, code: code ?? null, param: param ?? null, sequence_number: 0 }
      return { event: 'error', data: { type: 'error', ...fields } }
    },
    keep: (answer, body) =>
      stored.keep(responseIdOf(answer), itemsOf(body), outputOf(answer, body), body.store !== false),
    forget: () => stored.forget(),
  }
}

const tooLong = openAiRefusal(
  'Your input exceeds the context window of this model. Please adjust your input and try again. (scripted)',
  { param: 'input', code: 'context_length_exceeded' },
)

function askedOf({ model, tools }: JsonObject, items: readonly JsonObject[]): ReturnType<Wire['asked']> {
  const isSaid = ({ type, role }: JsonObject) => type === 'function_call' || role === 'assistant'
  const results = items.slice(items.findLastIndex(isSaid) + 1).filter(isResult)
  return {
    model: textOf(model),
    lastUserText: contentText(items.findLast(({ role }) => role === 'user')?.content),
    results: results.map(({ call_id, output }) => {
      return { callId: textOf(call_id), output: contentText(output) }
    }),
    toolNames: objectsIn(tools).map(({ name }) => textOf(name)),
  }
}

function isResult({ type }: JsonObject): boolean {
  return type === 'function_call_output'
}

function contentText(content: JsonObject[string] | undefined): string {
  if (typeof content === 'string') return content
  return objectsIn(content)
    .map(({ text }) => textOf(text))
    .join('')
}
