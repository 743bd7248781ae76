/** OpenAI's Chat Completions, as the stub speaks it. */
import type { JsonObject } from '@holdfast/protocol'
import { objectOf, objectsIn, textOf } from '../../json-shapes.ts'
import { keyOfBearer, openAiErrorBody, openAiFaults, openAiRefusal } from '../openai-error.ts'
import { firstRefusal, type Wire } from '../wire.ts'
import { chatStream, chatWhole } from './answer.ts'
import { chatRequest, chatRules } from './rules.ts'

export function chatWire(): Wire {
  return {
    name: 'openai-chat',
    path: '/v1/chat/completions',
    keyOf: keyOfBearer,
    refusal: (body) => firstRefusal(chatRules, chatRequest(body)),
    asked: askedOf,
    conversation: ({ messages, tools }) => JSON.stringify([tools ?? null, messages ?? null]),
    whole: chatWhole,
    stream: chatStream,
    refusalFor: ({ type }, tokens) => (type === 'context_length' ? tooLong(tokens) : openAiFaults[type]()),
    errorBody: openAiErrorBody,
    errorEvent: (refusal) => ({ data: openAiErrorBody(refusal) }),
    keep: () => {},
    forget: () => {},
  }
}

function tooLong(tokens: number) {
  const message = `This model's maximum context length is ${tokens - 1} tokens. However, your messages resulted in ${tokens} tokens. Please reduce the length of the messages. (scripted)`
  return openAiRefusal(message, { param: 'messages', code: 'context_length_exceeded' })
}

function askedOf({ model, messages, tools }: JsonObject): ReturnType<Wire['asked']> {
  const all = objectsIn(messages)
  const lastSaid = all.findLastIndex(({ role }) => role === 'assistant')
  const results = all.slice(lastSaid + 1).filter(({ role }) => role === 'tool')
  return {
    model: textOf(model),
    lastUserText: contentText(all.findLast(({ role }) => role === 'user')?.content),
    results: results.map(({ tool_call_id, content }) => {
      return { callId: textOf(tool_call_id), output: contentText(content) }
    }),
    toolNames: objectsIn(tools).map((tool) => textOf(objectOf(tool.function).name)),
  }
}

function contentText(content: JsonObject[string] | undefined): string {
  if (typeof content === 'string') return content
  const texts = objectsIn(content).filter(({ type }) => type === 'text')
  return texts.map(({ text }) => textOf(text)).join('')
}
