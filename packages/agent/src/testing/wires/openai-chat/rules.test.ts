import type { JsonObject } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { startProviderStub } from '../../provider-stub.ts'
import { firstRefusal } from '../wire.ts'
import { chatRequest, chatRules } from './rules.ts'

const user: JsonObject = { role: 'user', content: 'look' }
const call = (id: string, args: string | JsonObject = '{}'): JsonObject => {
  return { id, type: 'function', function: { name: 'look', arguments: args } }
}
const calling = (...calls: JsonObject[]): JsonObject => ({
  role: 'assistant',
  content: null,
  tool_calls: calls,
})
const result = (id: string): JsonObject => ({ role: 'tool', tool_call_id: id, content: 'seen' })
const long = 'a'.repeat(41)

/** For each rule a request that breaks it and no rule before it. */
const broken: Record<keyof typeof chatRules, { messages: JsonObject[]; says: RegExp }> = {
  'there is a message': { messages: [], says: /empty array/ },
  'roles are known': { messages: [{ role: 'function', content: 'x' }], says: /Supported values/ },
  'only the assistant calls tools': { messages: [{ ...user, tool_calls: [call('a')] }], says: /unexpected/ },
  'tool_calls are absent or some': {
    messages: [user, { role: 'assistant', content: 'x', tool_calls: [] }],
    says: /tool_calls': empty array/,
  },
  'every message has content': {
    messages: [user, { role: 'assistant', content: null }],
    says: /expected a string, got null/,
  },
  'arguments are a text': {
    messages: [user, calling(call('a', {})), result('a')],
    says: /arguments': expected a string/,
  },
  'call ids have at most 40 characters': {
    messages: [user, calling(call(long)), result(long)],
    says: /maximum length 40/,
  },
  'ids of one message are unique': {
    messages: [user, calling(call('a'), call('a')), result('a')],
    says: /Duplicate value/,
  },
  'a tool message answers an open call': {
    messages: [user, calling(call('a')), result('a'), result('a')],
    says: /must be a response to a preceeding message/,
  },
  'every call is answered before anything else is said': {
    messages: [user, calling(call('a'), call('b')), result('b'), user],
    says: /did not have response messages: a$/,
  },
}

function judge(messages: JsonObject[]) {
  const request = chatRequest({ messages })
  const first = Object.entries(chatRules).find(([, rule]) => rule(request) !== undefined)?.[0]
  return { first, refusal: firstRefusal(chatRules, request) }
}

describe('OpenAI Chat refuses, because', () => {
  it.each(Object.entries(broken))('%s', (rule, { messages, says }) => {
    const { first, refusal } = judge(messages)
    expect(first).toBe(rule)
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' })
    expect(refusal?.message).toMatch(says)
  })

  it('a call at the end has no answer', () => {
    expect(judge([user, calling(call('a'))]).refusal?.message).toMatch(/did not have response messages: a$/)
  })

  it('a result comes before its call', () => {
    expect(judge([user, result('a'), calling(call('a'))]).first).toBe('a tool message answers an open call')
  })
})

it('takes a history with parallel calls whose results come in another order', () => {
  const messages = [user, calling(call('a'), call('b')), result('b'), result('a'), user]
  expect(judge(messages).first).toBeUndefined()
})

it('says so over HTTP, as the provider does', async () => {
  await using stub = await startProviderStub({ script: [] })
  for (const { messages, says } of Object.values(broken)) {
    const response = await fetch(`${stub.baseUrl}/chat/completions`, {
      ...{ method: 'POST', headers: { authorization: 'Bearer k' } },
      body: JSON.stringify({ messages }),
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.stringMatching(says) },
    })
  }
})
