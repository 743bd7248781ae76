import { describe, expect, test } from 'vitest'
import { createInput, eventSchemas, isErased, isKnown, messageInput, question, usageRecord } from './index.ts'

const fits = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success

describe('a message', () => {
  const text = { type: 'text', text: 'hello' }
  const message = { role: 'user', parts: [text] }

  test('needs a role that we know and a part', () => {
    expect(fits(messageInput, message)).toBe(true)
    expect(fits(messageInput, { ...message, role: 'developer' })).toBe(false)
    expect(fits(messageInput, { ...message, parts: [] })).toBe(false)
  })

  test('never sets what is derived', () => {
    for (const field of ['seq', 'phase', 'at', 'runId', 'waiting', 'erased']) {
      expect(fits(messageInput, { ...message, [field]: 1 }), field).toBe(false)
    }
  })

  test('keeps what the provider sent as it came', () => {
    const part = { ...text, provider: { signature: 'x==', nested: [{ '': null }] } }
    expect(messageInput.parse({ ...message, parts: [part] }).parts[0]).toEqual(part)
  })

  test('takes any JSON as tool input, also null, but not nothing', () => {
    const call = { type: 'tool_call', callId: 'c', name: 'n' }
    for (const input of [null, 0, '', [], {}]) {
      expect(fits(messageInput, { ...message, parts: [{ ...call, input }] })).toBe(true)
    }
    expect(fits(messageInput, { ...message, parts: [call] })).toBe(false)
    expect(fits(messageInput, { ...message, parts: [{ ...call, input: undefined }] })).toBe(false)
  })

  test('has results that are ok unless they say otherwise', () => {
    const parsed = messageInput.parse({
      role: 'tool',
      parts: [{ type: 'tool_result', callId: 'c', output: 1 }],
    })
    expect(parsed.parts[0]).toMatchObject({ outcome: 'ok' })
  })
})

describe('a usage record', () => {
  const usage = { attemptId: 'a', promptTokens: 10, completionTokens: 5 }

  test('has reasoning inside completion and cached inside prompt, edges included', () => {
    const full = { ...usage, reasoningTokens: 5, cachedReadTokens: 6, cachedWriteTokens: 4 }
    expect(fits(usageRecord, full)).toBe(true)
    expect(fits(usageRecord, { ...full, reasoningTokens: 6 })).toBe(false)
    expect(fits(usageRecord, { ...full, cachedReadTokens: 7 })).toBe(false)
  })

  test('has a cost exactly when it has a source, and zero is a cost', () => {
    expect(usageRecord.parse(usage)).toMatchObject({ costSource: 'unknown' })
    expect(fits(usageRecord, { ...usage, costMicrocents: 0, costSource: 'price_book' })).toBe(true)
    expect(fits(usageRecord, { ...usage, costMicrocents: 0 })).toBe(false)
    expect(fits(usageRecord, { ...usage, costSource: 'provider' })).toBe(false)
  })

  test('counts in whole numbers', () => {
    for (const promptTokens of [-1, 0.5, Number.NaN, 2 ** 53, '10']) {
      expect(fits(usageRecord, { ...usage, promptTokens })).toBe(false)
    }
  })
})

describe('a new session', () => {
  test('has a goal exactly when it is autonomous', () => {
    expect(fits(createInput, { agentId: 'a' })).toBe(true)
    expect(fits(createInput, { agentId: 'a', purpose: 'autonomous', goalText: 'win' })).toBe(true)
    expect(fits(createInput, { agentId: 'a', purpose: 'autonomous' })).toBe(false)
    expect(fits(createInput, { agentId: 'a', goalText: 'win' })).toBe(false)
  })

  test('lives for ever with null and never for 0 seconds', () => {
    expect(fits(createInput, { agentId: 'a', ttlSecs: null })).toBe(true)
    expect(fits(createInput, { agentId: 'a', ttlSecs: 0 })).toBe(false)
  })
})

test('a question takes answers of its own unless it forbids them', () => {
  expect(question.parse({ questionId: 'q', question: 'Really?' })).toMatchObject({
    options: [],
    allowCustom: true,
  })
})

describe('an event', () => {
  const event = { seq: 1, v: 1, at: '2024-01-01T00:00:00Z', actor: { kind: 'user' } as const, data: {} }

  test('is known by its type, and not by a name that every object has', () => {
    expect(isKnown({ ...event, type: 'context.cleared' })).toBe(true)
    expect(isKnown({ ...event, type: 'context.cleared' }, 'run.started')).toBe(false)
    for (const type of ['future.thing', 'constructor', '__proto__'])
      expect(isKnown({ ...event, type })).toBe(false)
  })

  test('is not known once its content was erased', () => {
    const erased = { ...event, type: 'message.appended', data: { erased: true } }
    expect(isErased(erased)).toBe(true)
    expect(isKnown(erased)).toBe(false)
  })

  test('has a type of two words', () => {
    for (const type of Object.keys(eventSchemas)) expect(type).toMatch(/^[a-z_]+\.[a-z_]+$/)
  })
})
