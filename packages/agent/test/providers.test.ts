/** Turns over the providers' own packages, against a stub that refuses what the providers refuse. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type AgentInput, defineAgent, defineTool } from '../src/index.ts'
import { startProviderStub } from '../src/testing/provider-stub.ts'
import type { Script } from '../src/testing/script.ts'
import { newPlace, started } from './support/place.ts'

const wires = {
  anthropic: (baseURL: string) => createAnthropic({ baseURL, apiKey: 'k' })('claude-sonnet-4-5'),
  'openai-chat': (baseURL: string) => createOpenAI({ baseURL, apiKey: 'k' }).chat('gpt-5-mini'),
  'openai-responses': (baseURL: string) => createOpenAI({ baseURL, apiKey: 'k' }).responses('gpt-5-mini'),
}

const weather = defineTool({
  name: 'weather',
  description: 'The weather in a city',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => ({ city, sky: 'clear' }),
})

async function talkOver(wire: keyof typeof wires, script: Script, input: Partial<AgentInput> = {}) {
  const stub = await startProviderStub({ script })
  onTestFinished(() => stub.close())
  const agent = defineAgent({
    id: 'helper',
    instructions: 'Be brief.',
    model: wires[wire](stub.baseUrl),
    tools: [weather],
    maxAttempts: 1,
    ...input,
  })
  const { agents, holdfast } = await started(newPlace(), { agents: [agent], pollMs: 0, random: () => 0 })
  const session = await agents.create({ agentId: 'helper' })
  const messages = async () => (await holdfast.sessions.at(session.id).messages()).messages
  const rows = async () => (await holdfast.usage.list(session.id)).rows
  return { session, messages, rows, stub }
}

describe.each(Object.keys(wires) as (keyof typeof wires)[])('over %s', (wire) => {
  it('a turn with reasoning and a tool is accepted, and goes on in the next one', async () => {
    const { session, messages, rows, stub } = await talkOver(wire, [
      {
        parts: [
          { type: 'reasoning', text: 'Look first.' },
          { type: 'tool_call', name: 'weather', input: { city: 'Oslo' } },
        ],
        usage: { promptTokens: 100, completionTokens: 20, cachedReadTokens: 60 },
      },
      'It is clear.',
      'You are welcome.',
    ])
    expect(await session.send('Weather in Oslo?').result).toMatchObject({
      outcome: 'completed',
      text: 'It is clear.',
    })
    expect(await session.send('Thanks.').result).toMatchObject({ text: 'You are welcome.' })
    expect(stub.exchanges.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined])
    expect(await rows()).toMatchObject([
      { promptTokens: 100, completionTokens: 20, cachedReadTokens: 60, estimated: false },
      { estimated: false },
      { estimated: false },
    ])
    const foreign = (await messages()).flatMap(({ parts }) =>
      parts.filter((part) => part.type === 'data' && part.name === 'provider_content'),
    )
    expect(foreign).toEqual([])
  })

  it('an overload that is told in the middle of the stream is tried again', async () => {
    const { session, rows } = await talkOver(wire, [{ ...long, fault: { type: 'stream_error' } }, 'Now.'], {
      maxAttempts: 2,
    })
    const { outcome, error } = await session.send('Tell me.').result
    expect({ outcome, error }).toEqual({ outcome: 'completed', error: undefined })
    expect(await rows()).toMatchObject([{ status: 'failed' }, { status: 'ok' }])
  })

  it('and ends the turn, in the words of the provider, when it was the last try', async () => {
    const { session } = await talkOver(wire, [{ ...long, fault: { type: 'stream_error' } }])
    expect(await session.send('Tell me.').result).toMatchObject({
      outcome: 'failed',
      error: { code: 'model_error', message: expect.stringMatching(/overloaded.*\(scripted\)/i) },
    })
  })
})

const long = { parts: [{ type: 'text' as const, text: 'a long answer, '.repeat(400) }] }

it('an answer that was broken off costs the prompt that the provider counted before it', async () => {
  const { session, rows } = await talkOver('anthropic', [
    {
      parts: [{ type: 'text', text: 'x'.repeat(20_000) }],
      usage: { promptTokens: 1_234, completionTokens: 5_000, cachedReadTokens: 1_000 },
      fault: { type: 'cut', afterBytes: 3_000 },
    },
  ])
  await session.send('Tell me.').result.catch((error: unknown) => error)
  expect(await rows()).toMatchObject([
    { status: 'failed', promptTokens: 1_234, cachedReadTokens: 1_000, estimated: true },
  ])
})
