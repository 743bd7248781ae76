import type { JsonObject } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { encryptedOf } from '../../answer.ts'
import { startProviderStub } from '../../provider-stub.ts'
import { firstRefusal } from '../wire.ts'
import { StoredResponses } from './responses.ts'
import { responsesRequest, responsesRules } from './rules.ts'

const user: JsonObject = { role: 'user', content: [{ type: 'input_text', text: 'look' }] }
const call = (callId: string, more: JsonObject = {}): JsonObject => {
  return { type: 'function_call', call_id: callId, name: 'look', arguments: '{}', ...more }
}
const result = (callId: string): JsonObject => {
  return { type: 'function_call_output', call_id: callId, output: 'seen' }
}
const reasoning = (id: string, encrypted?: string): JsonObject => {
  const summary = [{ type: 'summary_text', text: 'hm' }]
  return { type: 'reasoning', id, summary, ...(encrypted !== undefined && { encrypted_content: encrypted }) }
}
const said = (id: string): JsonObject => {
  return { type: 'message', id, role: 'assistant', content: [{ type: 'output_text', text: 'so' }] }
}
const long = 'a'.repeat(65)

/** One answer was stored: reasoning that led to a call. */
function stored(): StoredResponses {
  const responses = new StoredResponses()
  responses.keep('resp_1', [user], [reasoning('rs_1'), call('kept', { id: 'fc_1' })], true)
  return responses
}

type Broken = { body?: JsonObject; input: JsonObject[]; says: RegExp; status?: number }

/** For each rule a request that breaks it and no rule before it. */
const broken: Record<keyof typeof responsesRules, Broken> = {
  'the previous response is known': {
    body: { previous_response_id: 'resp_9' },
    input: [user],
    says: /Previous response with id 'resp_9' not found/,
  },
  'there is input': { input: [], says: /Missing required parameter/ },
  'a referenced item is stored': {
    input: [user, { type: 'item_reference', id: 'msg_9' }],
    says: /'msg_9' not found/,
    status: 404,
  },
  'reasoning is stored or encrypted': {
    input: [user, reasoning('rs_9'), said('msg_9'), user],
    says: /'rs_9' not found/,
    status: 404,
  },
  'encrypted reasoning was encrypted here': {
    input: [user, reasoning('rs_9', 'from elsewhere'), said('msg_9'), user],
    says: /could not be verified/,
  },
  'item ids are unique': { input: [user, said('msg_9'), said('msg_9'), user], says: /Duplicate item/ },
  'every message has content': { input: [{ role: 'user', content: [] }], says: /empty array/ },
  'call ids have at most 64 characters': {
    input: [user, call(long), result(long)],
    says: /maximum length 64/,
  },
  'arguments are a text': { input: [user, call('a', { arguments: {} }), result('a')], says: /arguments/ },
  'call ids are unique': {
    input: [user, call('a'), result('a'), call('a'), result('a')],
    says: /Duplicate function call found/,
  },
  'every output has its call before it': {
    input: [user, result('a'), call('a')],
    says: /No tool call found for function call output with call_id a/,
  },
  'a call has one output': {
    input: [user, call('a'), result('a'), result('a')],
    says: /Duplicate function call output/,
  },
  'every call has its output before the user speaks again': {
    input: [user, call('a'), user, result('a')],
    says: /No tool output found for function call a/,
  },
  'reasoning is followed by what it led to': {
    input: [user, reasoning('rs_9', encryptedOf('hm')), user],
    says: /without its required following item/,
  },
  'what reasoning led to comes with it': {
    input: [user, call('kept', { id: 'fc_1' }), result('kept')],
    says: /without its required 'reasoning' item: 'rs_1'/,
  },
}

function judge({ body, input }: Pick<Broken, 'body' | 'input'>) {
  const request = responsesRequest({ input, ...body }, stored())
  const first = Object.entries(responsesRules).find(([, rule]) => rule(request) !== undefined)?.[0]
  return { first, refusal: firstRefusal(responsesRules, request) }
}

describe('OpenAI Responses refuses, because', () => {
  it.each(Object.entries(broken))('%s', (rule, { says, status = 400, ...request }) => {
    const { first, refusal } = judge(request)
    expect(first).toBe(rule)
    expect(refusal).toMatchObject({ status, type: 'invalid_request_error' })
    expect(refusal?.message).toMatch(says)
  })

  it('a call of the previous response has no output', () => {
    const { refusal } = judge({ body: { previous_response_id: 'resp_1' }, input: [user] })
    expect(refusal?.message).toMatch(/No tool output found for function call kept/)
  })

  it('a call at the end has no output', () => {
    expect(judge({ input: [user, call('a')] }).refusal?.message).toMatch(/No tool output found/)
  })
})

describe('OpenAI Responses takes', () => {
  it('a delta after a response that it keeps', () => {
    expect(judge({ body: { previous_response_id: 'resp_1' }, input: [result('kept')] }).first).toBeUndefined()
  })

  it('references to what it keeps', () => {
    const references = ['rs_1', 'fc_1'].map((id) => ({ type: 'item_reference', id }))
    expect(judge({ input: [user, ...references, result('kept')] }).first).toBeUndefined()
  })

  it('encrypted reasoning that it does not keep', () => {
    const input = [user, reasoning('rs_9', encryptedOf('hm')), call('a'), result('a')]
    expect(judge({ input }).first).toBeUndefined()
  })
})

it('says so over HTTP, as the provider does', async () => {
  await using stub = await startProviderStub({ script: [] })
  const { 'what reasoning led to comes with it': _needsState, ...stateless } = broken
  for (const { body, input, says, status = 400 } of Object.values(stateless)) {
    const response = await fetch(`${stub.baseUrl}/responses`, {
      ...{ method: 'POST', headers: { authorization: 'Bearer k' } },
      body: JSON.stringify({ input, ...body }),
    })
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.stringMatching(says) },
    })
  }
})
