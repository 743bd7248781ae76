import { APICallError } from '@ai-sdk/provider'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const busy = (statusCode = 429, headers = { 'retry-after-ms': '1' }) =>
  new APICallError({
    message: 'busy',
    url: 'http://provider',
    requestBodyValues: {},
    statusCode,
    responseHeaders: headers,
  })

const patient = { random: () => 0, pollMs: 0 }

it('a call that failed is made again, each attempt a row of the ledger, and readers are told to begin anew', async () => {
  const model = scripted([{ error: busy() }, { text: 'Half an ans', cut: true }, { text: 'A whole answer.' }])
  const { agents, holdfast } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model })],
    ...patient,
  })
  const session = await agents.create({ agentId: 'a' })
  const turn = session.send('Go.')
  const seen: string[] = []
  for await (const item of turn) seen.push(item.type)
  expect((await turn.result).text).toBe('A whole answer.')
  expect(seen).toContain('draft.reset')
  const { rows } = await holdfast.usage.list(session.id)
  expect(rows.map(({ status, estimated }) => [status, estimated])).toEqual([
    ['failed', true],
    ['failed', true],
    ['ok', false],
  ])
  expect(rows[0]).toMatchObject({ promptTokens: 0, completionTokens: 0 })
  expect(rows[1]?.completionTokens).toBeGreaterThan(0)
  const { messages } = await session.log.messages()
  expect(messages).toHaveLength(2)
})

it('the next model is asked when the first cannot be, and what will not change is not tried again', async () => {
  const first = scripted(() => ({ error: busy(401, { 'retry-after-ms': '1' }) }), 'first')
  const second = scripted([{ text: 'From the second.' }], 'second')
  const { agents, holdfast } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model: [first, second] })],
    ...patient,
  })
  const session = await agents.create({ agentId: 'a' })
  expect((await session.send('Go.').result).text).toBe('From the second.')
  expect(first.doStreamCalls).toHaveLength(1)
  const { rows } = await holdfast.usage.list(session.id)
  expect(rows.map(({ model, status }) => [model, status])).toEqual([
    ['first', 'failed'],
    ['second', 'ok'],
  ])
})

it('a turn whose models all fail has failed, and the session goes on', async () => {
  const model = scripted((_options, nth) => (nth < 3 ? { error: busy(503) } : { text: 'Back.' }))
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model })], ...patient })
  const session = await agents.create({ agentId: 'a' })
  expect(await session.send('Go.').result).toMatchObject({
    outcome: 'failed',
    error: { code: 'model_error' },
  })
  expect((await session.send('Again.').result).text).toBe('Back.')
})

it('what a provider sends beside the text comes back to it as it was', async () => {
  const secret = { test: { signature: 'c2ln', nested: { big: '9007199254740993' } } }
  const model = scripted([
    {
      parts: [
        { type: 'response-metadata', id: 'resp_1', modelId: 'model-x' },
        { type: 'reasoning-start', id: 'r' },
        { type: 'reasoning-delta', id: 'r', delta: 'thinking' },
        { type: 'reasoning-end', id: 'r', providerMetadata: secret },
        { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: '{"a":1}', providerMetadata: secret },
      ],
    },
    { text: 'Done.' },
  ])
  const look = defineTool({
    name: 'look',
    description: '',
    input: z.object({ a: z.number() }),
    execute: () => 1,
  })
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, tools: [look] })],
    ...patient,
  })
  await (await agents.create({ agentId: 'a' })).send('Go.').result
  const content = model.doStreamCalls[1]?.prompt[1]?.content
  expect(content).toEqual([
    { type: 'reasoning', text: 'thinking', providerOptions: secret },
    { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: { a: 1 }, providerOptions: secret },
  ])
})

it('calls that cannot be are told to the model, each as what it is', async () => {
  const model = scripted([
    {
      calls: [
        { id: 'x', name: 'look', input: '{"a":' },
        { id: 'x', name: 'look', input: { a: 'one' } },
        { id: 'y', name: 'nothing', input: {} },
        { id: 'z', name: 'look', input: '{"a":12345678901234567890}' },
        { id: 't', name: 'throws', input: {} },
        { id: 'u', name: 'slow', input: {} },
      ],
    },
    { text: 'Sorry.' },
  ])
  const look = defineTool({
    name: 'look',
    description: '',
    input: z.object({ a: z.number() }),
    execute: () => 1,
  })
  const throws = defineTool({
    name: 'throws',
    description: '',
    input: z.object({}),
    execute: () => {
      throw new Error('broken')
    },
  })
  const slow = defineTool({
    name: 'slow',
    description: '',
    input: z.object({}),
    timeoutMs: 20,
    execute: () => new Promise(() => {}),
  })
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, tools: [look, throws, slow] })],
    ...patient,
  })
  const session = await agents.create({ agentId: 'a' })
  expect((await session.send('Go.').result).text).toBe('Sorry.')
  const { messages } = await session.log.messages()
  const results = messages.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.type === 'tool_result' ? [part] : [])),
  )
  const byCall = new Map(results.map(({ callId, output, outcome }) => [callId, `${outcome}: ${output}`]))
  expect(byCall.get('x')).toContain('not valid JSON')
  expect(byCall.get('x_2')).toContain('error: The input does not fit: a: ')
  expect(byCall.get('y')).toContain('no tool nothing')
  expect(byCall.get('z')).toContain('beyond 2^53')
  expect(byCall.get('t')).toBe('error: broken')
  expect(byCall.get('u')).toContain('unknown: No result within 20 ms')
})

it('an output that is too long is kept as its beginning and its end', async () => {
  const long = defineTool({
    name: 'long',
    description: '',
    input: z.object({}),
    maxOutputBytes: 4_096,
    execute: () => `begin ${'x'.repeat(100_000)} end`,
  })
  const model = scripted([{ calls: [{ name: 'long', input: {} }] }, { text: 'Read.' }])
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, tools: [long] })],
    ...patient,
  })
  const session = await agents.create({ agentId: 'a' })
  await session.send('Go.').result
  const { messages } = await session.log.messages()
  const output = JSON.stringify(messages.find(({ role }) => role === 'tool')?.parts)
  expect(output).toMatch(/begin x+.*bytes omitted.*x+ end/)
  expect(output.length).toBeLessThan(4_200)
})
