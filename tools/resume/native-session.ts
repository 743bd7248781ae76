/** A session that an agent of Holdfast made over a provider's wire: words, an image, thoughts, calls, a summary, a steered word. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { defineAgent, defineTool, withAgents } from '@holdfast/agent'
import { startProviderStub } from '@holdfast/agent/testing'
import type { Holdfast, UnseenSession } from '@holdfast/core'

export const wires = ['anthropic', 'openai-responses'] as const
type Wire = (typeof wires)[number]

const weather = defineTool({
  name: 'weather',
  description: 'The weather in a city',
  input: { type: 'object', properties: { city: { type: 'string' } } },
  execute: (input) => ({ ...(input as { city: string }), sky: 'clear' }),
})

/** A PNG of one pixel, as base64. */
export const dot =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** OpenAI keeps nothing, so that its thoughts come encrypted; Anthropic signs them anyway. */
const settings = {
  providerOptions: { openai: { store: false, include: ['reasoning.encrypted_content'] } },
}

const lookingUp = {
  parts: [
    { type: 'reasoning', text: 'Two cities, two calls.' },
    { type: 'text', text: 'I look.' },
    { type: 'tool_call', name: 'weather', input: { city: 'Bern' } },
    { type: 'tool_call', name: 'weather', input: { city: 'Basel' } },
  ],
} as const

export async function nativeSession(holdfast: Holdfast, wire: Wire, cwd: string): Promise<UnseenSession> {
  const script = [
    ...['First answer.', 'Second answer.', 'Third answer.'],
    ...[lookingUp, 'Clear in both.'],
    ...['A dot.', 'SUMMARY: they asked three things.', lookingUp, 'Still clear.'],
  ]
  await using stub = await startProviderStub({ script })
  const model =
    wire === 'anthropic'
      ? createAnthropic({ baseURL: stub.baseUrl, apiKey: 'scripted' })('claude-sonnet-4-5')
      : createOpenAI({ baseURL: stub.baseUrl, apiKey: 'scripted' }).responses('gpt-5-mini')
  const agents = withAgents(holdfast, {
    agents: [
      defineAgent({
        id: 'helper',
        instructions: 'Be brief.',
        model,
        settings,
        tools: [weather],
        maxAttempts: 1,
      }),
    ],
  })
  const session = await agents.create({ agentId: 'helper', metadata: { cwd } })
  for (const question of ['First question?', 'Second question?', 'Third question?', 'The weather in both?'])
    await session.send(question).result
  const file = await session.log.putAttachment({ bytes: Buffer.from(dot, 'base64'), mediaType: 'image/png' })
  await session.send([
    { type: 'text', text: 'What is this?' },
    { type: 'image', ...file },
  ]).result
  await session.compact()
  await session.send('And the weather now?').result
  await agents.close()
  return session.log
}
