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
    'prompt.snapshot_set',
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

it('input from a process that has no agent is answered where there is one', async () => {
  const path = newPlace()
  const agent = defineAgent({ id: 'a', model: scripted([{ text: 'Hello.' }]) })
  const here = await started(path, { agents: [agent], pollMs: 20 })
  const there = await started(path, { agents: [], pollMs: 0 })
  const { id } = await here.agents.create({ agentId: 'a' })
  expect((await there.agents.at(id).send('Hi').result).text).toBe('Hello.')
})

it('an answer that must have a shape is asked for again until it has, and comes as a value', async () => {
  const output = z.object({ city: z.string(), nights: z.number().default(1) })
  const model = scripted([
    { text: 'Oslo!' },
    { text: '{"city": 5}' },
    { text: '```json\n{"city":"Oslo"}\n```' },
  ])
  const { agents, holdfast } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, output })],
    random: () => 0,
  })
  const session = await agents.create({ agentId: 'a' })
  expect((await session.send('Where?').result).object).toEqual({ city: 'Oslo', nights: 1 })
  expect(model.doStreamCalls[0]?.responseFormat).toMatchObject({ type: 'json', schema: { type: 'object' } })
  expect(JSON.stringify(model.doStreamCalls[2]?.prompt.slice(-2))).toContain('expected string')
  expect((await session.log.messages()).messages).toHaveLength(2)
  expect((await holdfast.usage.list(session.id)).rows).toHaveLength(3)
})

it('the system prompt tells persona, goal and tasks, and stands in the log as it was sent', async () => {
  const model = scripted([{ text: 'Aye.' }, { text: 'Aye.' }])
  const agent = defineAgent({ id: 'a', instructions: 'Be brief.', model })
  const { agents, holdfast } = await started(newPlace(), { agents: [agent] })
  await holdfast.personas.put('pirate', { name: 'Ann', role: 'a pirate', traits: ['bold'] })
  await holdfast.seeds.put('ship', { goal: 'Find the ship', constraints: ['by noon'] })
  const session = await agents.create({ agentId: 'a', personaId: 'pirate', seedId: 'ship' })
  await session.log.setTasks({ items: [{ id: 't1', description: 'Look' }] })
  await session.send('Go.').result
  const system = model.doStreamCalls[0]?.prompt[0]?.content
  for (const words of ['Be brief.', 'You are Ann, a pirate.', 'Find the ship', '- by noon', 't1: Look'])
    expect(system).toContain(words)
  const view = await session.log.view()
  expect(view.promptSnapshot?.effectiveText).toBe(system)
  expect(view.promptSnapshot?.sections.map(({ name }) => name)).toEqual([
    'instructions',
    'persona',
    'goal',
    'tasks',
  ])
  await session.send('Again.').result
  const { events } = await session.log.events({ limit: 200 })
  expect(events.filter(({ type }) => type === 'prompt.snapshot_set')).toHaveLength(1)
})

it('a model that calls the same again and again is told so, and then somebody is asked', async () => {
  let ran = 0
  const look = defineTool({ name: 'look', description: '', input: z.object({}), execute: () => ++ran })
  const model = scripted(({ prompt }) => {
    return JSON.stringify(prompt).includes('Enough')
      ? { text: 'Stopping.' }
      : { calls: [{ name: 'look', input: {} }] }
  })
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model, tools: [look] })] })
  const session = await agents.create({ agentId: 'a' })
  const asked = await session.send('Go.').result
  expect(asked).toMatchObject({ outcome: 'suspended', question: { options: ['continue', 'stop'] } })
  expect(ran).toBe(5)
  expect(JSON.stringify(model.doStreamCalls.at(-1)?.prompt)).toContain(
    'was called 3 times with the same input',
  )
  const again = await session.answer(asked.question?.questionId ?? '', 'continue').result
  expect(again).toMatchObject({ outcome: 'suspended', question: { options: ['continue', 'stop'] } })
  expect(ran).toBe(10)
  await session.send('Enough.', { policy: 'steer' }).accepted()
  expect((await session.answer(again.question?.questionId ?? '', 'continue').result).text).toBe('Stopping.')
})
