import type { JsonObject } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { signatureOf } from '../../answer.ts'
import { startProviderStub } from '../../provider-stub.ts'
import { firstRefusal } from '../wire.ts'
import { anthropicRequest, anthropicRules } from './rules.ts'

const user = (...content: JsonObject[]): JsonObject => ({ role: 'user', content })
const assistant = (...content: JsonObject[]): JsonObject => ({ role: 'assistant', content })
const text = (said: string): JsonObject => ({ type: 'text', text: said })
const call = (id: string, input: JsonObject | string = {}): JsonObject => {
  return { type: 'tool_use', id, name: 'look', input }
}
const result = (id: string): JsonObject => ({ type: 'tool_result', tool_use_id: id, content: 'seen' })
const thinking = (thought: string, signature = signatureOf(thought)): JsonObject => {
  return { type: 'thinking', thinking: thought, signature }
}
const ask = user(text('look'))

type Broken = { body?: JsonObject; messages: JsonObject[]; says: RegExp }

/** For each rule a request that breaks it and no rule before it. */
const broken: Record<keyof typeof anthropicRules, Broken> = {
  'max_tokens is given': { body: { max_tokens: undefined } as never, messages: [ask], says: /max_tokens/ },
  'there is a message': { messages: [], says: /at least one message/ },
  'roles are user and assistant': {
    messages: [{ role: 'system', content: 'be kind' }, ask],
    says: /Unexpected role "system"/,
  },
  'the user speaks first': { messages: [assistant(text('hello')), ask], says: /first message must use/ },
  'every message has content': { messages: [ask, assistant(), ask], says: /messages\.1: all messages/ },
  'text is not blank': { messages: [ask, assistant(text(' ')), ask], says: /non-whitespace/ },
  'blocks are of their role': { messages: [user(call('a'))], says: /can only be in `assistant`/ },
  'tool_use ids are of letters, digits, _ and -': {
    messages: [ask, assistant(call('a.b')), user(result('a.b'))],
    says: /should match pattern/,
  },
  'tool_use input is an object': {
    messages: [ask, assistant(call('a', '{"broken')), user(result('a'))],
    says: /valid dictionary/,
  },
  'tool_use ids are unique': {
    messages: [ask, assistant(call('a'), call('a')), user(result('a'))],
    says: /must be unique/,
  },
  'every tool_result has its tool_use in the message before': {
    messages: [ask, assistant(text('no')), user(result('a'))],
    says: /unexpected `tool_use_id`/,
  },
  'every tool_use has its tool_result right after it': {
    messages: [ask, assistant(call('a'), call('b')), user(result('a'), text('and'), result('b'))],
    says: /without `tool_result` blocks immediately after: b\./,
  },
  'a tool_use has one tool_result': {
    messages: [ask, assistant(call('a')), user(result('a'), result('a'))],
    says: /multiple `tool_result` blocks/,
  },
  'thinking is signed': {
    messages: [ask, assistant({ type: 'thinking', thinking: 'hm' }, text('so')), ask],
    says: /signature: Field required/,
  },
  'a signature is of its thinking': {
    messages: [ask, assistant(thinking('changed', signatureOf('as it was')), text('so')), ask],
    says: /Invalid `signature`/,
  },
  'thinking is not the end of a message': {
    messages: [ask, assistant(text('so'), thinking('hm')), ask],
    says: /cannot be `thinking`/,
  },
  'with thinking on, the turn of open calls begins with thinking': {
    body: { thinking: { type: 'enabled', budget_tokens: 1_024 } },
    messages: [ask, assistant(call('a')), user(result('a'))],
    says: /must start with a thinking block/,
  },
  'the user speaks last': { messages: [ask, assistant(text('and'))], says: /prefill/ },
}

function judge({ body, messages }: Pick<Broken, 'body' | 'messages'>, signed = new Map<string, string>()) {
  const request = anthropicRequest({ max_tokens: 10, messages, ...body }, signed)
  const first = Object.entries(anthropicRules).find(([, rule]) => rule(request) !== undefined)?.[0]
  return { first, refusal: firstRefusal(anthropicRules, request) }
}

describe('Anthropic refuses, because', () => {
  it.each(Object.entries(broken))('%s', (rule, { says, ...request }) => {
    const { first, refusal } = judge(request)
    expect(first).toBe(rule)
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' })
    expect(refusal?.message).toMatch(says)
  })
})

it('takes a history with thinking, parallel calls and an answer that began before the next question', () => {
  const messages = [
    ask,
    assistant(thinking('both'), call('a'), call('b')),
    user(result('b'), result('a'), text('and hurry')),
    assistant(text('seen')),
    user(text('thanks')),
  ]
  expect(judge({ body: { thinking: { type: 'enabled' } }, messages }).first).toBeUndefined()
})

it('takes thinking under the signature that the script gave it', () => {
  const messages = [ask, assistant(thinking('hm', 'sig-7'), text('so')), ask]
  expect(judge({ messages }, new Map([['sig-7', 'hm']])).first).toBeUndefined()
  expect(judge({ messages }).first).toBe('a signature is of its thinking')
})

it('takes neighbours of one role as one message', () => {
  const messages = [
    ask,
    assistant(text('I will')),
    assistant(call('a')),
    user(result('a')),
    user(text('so?')),
  ]
  expect(judge({ messages }).first).toBeUndefined()
})

it('says so over HTTP, as the provider does', async () => {
  await using stub = await startProviderStub({ script: [] })
  for (const { body, messages, says } of Object.values(broken)) {
    const response = await fetch(`${stub.baseUrl}/messages`, {
      ...{ method: 'POST', headers: { 'x-api-key': 'k' } },
      body: JSON.stringify({ max_tokens: 10, messages, ...body }),
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringMatching(says) },
    })
  }
})
