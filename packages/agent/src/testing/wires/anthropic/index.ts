/** Anthropic's Messages, as the stub speaks it. */
import type { JsonObject } from '@holdfast/protocol'
import { objectsIn, textOf } from '../../json-shapes.ts'
import { firstRefusal, type Refusal, type Wire } from '../wire.ts'
import { anthropicStream, anthropicWhole } from './answer.ts'
import { anthropicRequest, anthropicRules, refuse } from './rules.ts'

export function anthropicWire(): Wire {
  const signed = new Map<string, string>()
  return {
    name: 'anthropic',
    path: '/v1/messages',
    keyOf: (headers) => textOf(headers['x-api-key'] as string) || textOf(headers.authorization as string),
    refusal: (body) => firstRefusal(anthropicRules, anthropicRequest(body, signed)),
    asked: askedOf,
    conversation: ({ system, tools, messages }) =>
      JSON.stringify([system ?? null, tools ?? null, messages ?? null]),
    whole: anthropicWhole,
    stream: (answer, _body, pieceSize) => anthropicStream(answer, pieceSize),
    refusalFor: (fault, promptTokens) => faults[fault.type](promptTokens),
    errorBody,
    errorEvent: (refusal) => ({ event: 'error', data: errorBody(refusal) }),
    keep({ parts }) {
      for (const part of parts) if (part.type === 'reasoning') signed.set(part.signature, part.text)
    },
    // What it signed holds for ever.
    forget: () => {},
  }
}

const faults = {
  rate_limit: (): Refusal => {
    const message = 'This request would exceed the rate limit (scripted)'
    return { status: 429, type: 'rate_limit_error', message }
  },
  server_error: (): Refusal => ({
    status: 500,
    type: 'api_error',
    message: 'Internal server error (scripted)',
  }),
  overloaded: (): Refusal => ({ status: 529, type: 'overloaded_error', message: 'Overloaded (scripted)' }),
  context_length: (tokens: number): Refusal =>
    refuse(`prompt is too long: ${tokens} tokens > ${tokens - 1} maximum (scripted)`),
}

function errorBody({ type, message }: Refusal): JsonObject {
  return { type: 'error', error: { type, message }, request_id: 'req_scripted' }
}

function askedOf({ model, messages, tools }: JsonObject): ReturnType<Wire['asked']> {
  const all = objectsIn(messages)
  const users = all.filter(({ role }) => role === 'user').map(({ content }) => contentOf(content))
  const texts = users.flatMap((blocks) =>
    blocks.filter(({ type }) => type === 'text').map(({ text }) => text),
  )
  const lastSaid = all.findLastIndex(({ role }) => role === 'assistant')
  const results = all.slice(lastSaid + 1).flatMap(({ content }) => contentOf(content).filter(isResult))
  return {
    model: textOf(model),
    lastUserText: textOf(texts.at(-1)),
    results: results.map((block) => {
      return { callId: textOf(block.tool_use_id), output: resultText(block.content) }
    }),
    toolNames: objectsIn(tools).map(({ name }) => textOf(name)),
  }
}

function contentOf(content: JsonObject[string] | undefined): JsonObject[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : objectsIn(content)
}

function isResult({ type }: JsonObject): boolean {
  return type === 'tool_result'
}

function resultText(content: JsonObject[string] | undefined): string {
  return typeof content === 'string'
    ? content
    : objectsIn(content)
        .map(({ text }) => textOf(text))
        .join('')
}
