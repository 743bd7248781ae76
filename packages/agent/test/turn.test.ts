import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const weather = defineTool({
  name: 'weather',
  description: 'The weather in a city',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => ({ city, sky: 'clear' }),
})

it('a turn streams its text, runs its tools and ends with an answer that stays', async () => {
  const model = scripted([
    { text: 'Let me look.', calls: [{ name: 'weather', input: { city: 'Oslo' } }] },
    { reasoning: 'clear sky', text: 'It is clear in Oslo.', usage: { prompt: 30, completion: 7 } },
  ])
  const agent = defineAgent({ id: 'helper', instructions: 'Be brief.', model, tools: [weather] })
  const { agents, holdfast } = await started(newPlace(), { agents: [agent] })
  const session = await agents.create({ agentId: 'helper' })
  const turn = session.send('Weather in Oslo?')
  const types: string[] = []
  let streamed = ''
  for await (const item of turn) {
    types.push(item.type === 'event' ? item.eventType : item.type)
    if (item.type === 'draft' && item.draft.kind === 'text') streamed += item.draft.text
  }
  expect(types.filter((type) => type !== 'draft' && type !== 'draft.reset')).toEqual([
    'session.activated',
    'message.appended',
    'run.started',
    'lease.taken',
    'round.started',
    'context.measured',
    'message.appended',
    'tool.called',
    'usage.recorded',
    'tool.finished',
    'round.completed',
    'round.started',
    'context.measured',
    'message.appended',
    'usage.recorded',
    'round.completed',
    'run.finalizing',
    'run.completed',
  ])
  expect(await turn.result).toMatchObject({
    outcome: 'completed',
    text: 'It is clear in Oslo.',
    usage: { promptTokens: 40, completionTokens: 12, attempts: 2 },
  })
  expect(streamed).toBe('Let me look.It is clear in Oslo.')
  const view = await holdfast.sessions.get(session.id)
  expect(view).toMatchObject({ status: 'idle', counters: { turnCount: 1, roundCount: 2, exchangeCount: 1 } })
  expect(model.doStreamCalls[1]?.prompt).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Weather in Oslo?' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'Let me look.' },
        { type: 'tool-call', toolCallId: 'call_1', toolName: 'weather', input: { city: 'Oslo' } },
      ],
    },
    {
      role: 'tool',
      content: [
        {
          type: 'tool-result',
          toolCallId: 'call_1',
          toolName: 'weather',
          output: { type: 'json', value: { city: 'Oslo', sky: 'clear' } },
        },
      ],
    },
  ])
})

it('the message of the user is durable before the model is called', async () => {
  const path = newPlace()
  const other = await started(path, { agents: [] })
  let seen: string[] = []
  let sessionId = ''
  const model = scripted(async () => {
    const { messages } = await other.holdfast.sessions.at(sessionId).messages()
    seen = messages.map(({ role }) => role)
    return { text: 'Hello.' }
  })
  const { agents } = await started(path, { agents: [defineAgent({ id: 'a', model })] })
  const session = await agents.create({ agentId: 'a' })
  sessionId = session.id
  expect((await session.send('Hi').result).text).toBe('Hello.')
  expect(seen).toEqual(['user'])
})
