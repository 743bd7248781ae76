/** Requests that go on from what OpenAI's Responses keeps, over the provider's own package and real HTTP. */
import { createOpenAI } from '@ai-sdk/openai'
import type { EventData, JsonObject } from '@holdfast/protocol'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { type AgentInput, type AgentSession, defineAgent, defineTool } from '../src/index.ts'
import {
  type ProviderStub,
  type ProviderStubOptions,
  startProviderStub,
} from '../src/testing/provider-stub.ts'
import type { Script } from '../src/testing/script.ts'
import { newPlace, started } from './support/place.ts'

const weather = defineTool({
  name: 'weather',
  description: 'The weather in a city',
  input: z.object({ city: z.string() }),
  execute: ({ city }) => ({ city, sky: 'clear' }),
})

const looks = {
  parts: [
    { type: 'reasoning' as const, text: 'Look first.' },
    { type: 'tool_call' as const, name: 'weather', input: { city: 'Oslo' } },
  ],
}

async function stubOf(script: Script, options: Partial<ProviderStubOptions> = {}): Promise<ProviderStub> {
  const stub = await startProviderStub({ script, ...options })
  onTestFinished(() => stub.close())
  return stub
}

function agentOf(stub: ProviderStub, input: Partial<AgentInput> = {}) {
  return defineAgent({
    id: 'helper',
    instructions: 'Be brief.',
    model: createOpenAI({ baseURL: stub.baseUrl, apiKey: 'k' }).responses('gpt-5-mini'),
    tools: [weather],
    maxAttempts: 1,
    stateful: true,
    ...input,
  })
}

async function talkWith(
  script: Script,
  input: Partial<AgentInput> = {},
  stubOptions: Partial<ProviderStubOptions> = {},
) {
  const stub = await stubOf(script, stubOptions)
  const path = newPlace()
  const process = await started(path, { agents: [agentOf(stub, input)], pollMs: 0 })
  const session = await process.agents.create({ agentId: 'helper' })
  return { ...process, path, stub, session }
}

/** The id of the response that each request goes on from, and the kinds of what it sends. */
function requests({ exchanges }: ProviderStub) {
  return exchanges.map(({ body, refusal }) => ({
    from: body.previous_response_id ?? null,
    sends: (body.input as JsonObject[]).map(({ type, role }) => type ?? role),
    ...(refusal && { refusal }),
  }))
}

const whole = (...sends: string[]) => ({ from: null, sends: ['developer', ...sends] })
const delta = (...sends: string[]) => ({ from: expect.stringMatching(/^resp_/), sends })

type Told = 'provider_context.opened' | 'provider_context.invalidated' | 'usage.recorded'

async function dataOf<T extends Told>({ log }: AgentSession, type: T): Promise<EventData<T>[]> {
  const { events } = await log.events({ limit: 1_000 })
  return events.flatMap((event) => (event.type === type ? [event.data as EventData<T>] : []))
}

it('sends the whole context once, and then what is new, over rounds and turns', async () => {
  const { stub, session } = await talkWith([looks, 'It is clear.', 'You are welcome.', 'Bye.'])
  expect(await session.send('Weather in Oslo?').result).toMatchObject({ text: 'It is clear.' })
  await session.send('Thanks.').result
  await session.send(`Bye. ${'x '.repeat(2_000)}`).result
  expect(requests(stub)).toEqual([whole('user'), delta('function_call_output'), delta('user'), delta('user')])
  const from = stub.exchanges.map(({ body }) => body.previous_response_id)
  expect(new Set(from).size).toBe(4)
  const [opened, ...more] = await dataOf(session, 'provider_context.opened')
  expect(more).toEqual([])
  expect(opened).toMatchObject({ providerId: 'openai.responses', model: 'gpt-5-mini', responseId: from[1] })
  const used = await dataOf(session, 'usage.recorded')
  const added = used.map(({ context }) => context?.tokens ?? 0)
  expect(added[0]).toBe(0)
  for (const tokens of added.slice(1)) expect(tokens).toBeGreaterThan(0)
  expect(added[3]).toBeGreaterThan(2_000)
  expect((await session.log.view()).counters).toMatchObject({
    initialTokenCount: opened?.initialTokens,
    deltaTokenCount: added.reduce((sum, tokens) => sum + tokens, 0),
  })
})

it('says what would be sent, before it is', async () => {
  const { session } = await talkWith(['Yes.', 'No.'])
  expect((await session.context()).continues).toBeUndefined()
  await session.send('One?').result
  const { messages } = await session.log.messages()
  const { responseId } = (await dataOf(session, 'provider_context.opened'))[0] ?? {}
  expect(messages).toHaveLength(2)
  await session.log.append({ role: 'user', parts: [{ type: 'text', text: 'Two?' }] })
  expect((await session.context()).continues).toMatchObject({ responseId, messages: 1 })
})

it.each([
  ['an agent that does not want it', { stateful: false }],
  [
    'answers that the provider is told not to keep',
    { settings: { providerOptions: { openai: { store: false } } } },
  ],
])('the whole context is sent every time for %s', async (_what, input) => {
  const { stub, session } = await talkWith(['Yes.', 'No.'], input)
  await session.send('One?').result
  await session.send('Two?').result
  expect(requests(stub).map(({ from }) => from)).toEqual([null, null])
  expect(await dataOf(session, 'provider_context.opened')).toEqual([])
})

describe('a context that the provider lost', () => {
  it('is sent whole in the same round, in full, and gone on with from there', async () => {
    const { stub, session } = await talkWith([looks, 'It is clear.', 'You are welcome.', 'Bye.'])
    await session.send('Weather in Oslo?').result
    stub.forgetResponses()
    expect(await session.send('Thanks.').result).toMatchObject({ text: 'You are welcome.' })
    expect(await session.send('Bye.').result).toMatchObject({ text: 'Bye.' })
    expect(requests(stub).slice(2)).toEqual([
      { ...delta('user'), refusal: expect.stringContaining('not found') },
      whole('user', 'function_call', 'function_call_output', 'assistant', 'user'),
      delta('user'),
    ])
    expect(await dataOf(session, 'provider_context.invalidated')).toMatchObject([{ reason: 'lost' }])
    expect(await dataOf(session, 'provider_context.opened')).toHaveLength(2)
    const used = await dataOf(session, 'usage.recorded')
    expect(used.map(({ status, promptTokens }) => [status, promptTokens > 0])).toEqual([
      ['ok', true],
      ['ok', true],
      ['failed', false],
      ['ok', true],
      ['ok', true],
    ])
    const { events } = await session.log.events({ limit: 1_000 })
    const rounds = events.flatMap(({ type, roundId }) => (type === 'usage.recorded' ? [roundId] : []))
    expect(rounds[2]).toBe(rounds[3])
  })

  it.each([
    ['before', 0],
    // The provider's package looks so long whether a stream that began fails at once.
    ['after', 80],
  ])('is sent whole too when that is told in the stream, %s its reader has it', async (_when, pauseMs) => {
    const pause = () => new Promise<void>((resolve) => setTimeout(resolve, pauseMs))
    const { stub, session } = await talkWith(['One.', 'Two.', 'Three.'], {}, { pause })
    await session.send('1?').result
    stub.forgetResponses({ inStream: true })
    expect(await session.send('2?').result).toMatchObject({ text: 'Two.' })
    expect(await session.send('3?').result).toMatchObject({ text: 'Three.' })
    expect(requests(stub).slice(1)).toEqual([
      { ...delta('user'), refusal: expect.stringContaining('not found') },
      whole('user', 'assistant', 'user'),
      delta('user'),
    ])
    expect(await dataOf(session, 'provider_context.invalidated')).toMatchObject([{ reason: 'lost' }])
    const used = await dataOf(session, 'usage.recorded')
    expect(used.map(({ status, promptTokens }) => [status, promptTokens > 0])).toEqual([
      ['ok', true],
      ['failed', false],
      ['ok', true],
      ['ok', true],
    ])
  })

  it('is sent in full too where only parts of it were referred to', async () => {
    const { stub, session } = await talkWith([looks, 'It is clear.', 'You are welcome.', 'Bye.'], {
      stateful: false,
    })
    await session.send('Weather in Oslo?').result
    stub.forgetResponses()
    expect(await session.send('Thanks.').result).toMatchObject({ text: 'You are welcome.' })
    expect(requests(stub).slice(2)).toMatchObject([
      { refusal: expect.stringContaining('Item with id') },
      whole('user', 'function_call', 'function_call_output', 'assistant', 'user'),
    ])
  })
})

describe('what the provider holds is of no use any more after', () => {
  type Setting = Awaited<ReturnType<typeof talkWith>>
  const ended = ({ stub, path }: Setting, input: Partial<AgentInput>, clock?: () => number) =>
    started(path, { agents: [agentOf(stub, input)], pollMs: 0, ...(clock && { clock }) })

  it.each<[string, string, (setting: Setting) => Promise<{ agents: Setting['agents'] }>]>([
    [
      'an edit',
      'edited',
      async (setting) => {
        const { messages } = await setting.session.log.messages()
        const changed = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'Uno?' }] }
        await setting.session.log.edit(messages[2]?.id ?? '', changed)
        return setting
      },
    ],
    [
      'a compaction',
      'compacted',
      async (setting) => {
        expect(await setting.session.compact()).toBe(true)
        return setting
      },
    ],
    [
      'other instructions',
      'section instructions: changed',
      (setting) => ended(setting, { instructions: 'Be long.' }),
    ],
    [
      'another model',
      'the model changed',
      (setting) => {
        const { baseUrl: baseURL } = setting.stub
        return ended(setting, { model: createOpenAI({ baseURL, apiKey: 'k' }).responses('gpt-5') })
      },
    ],
    [
      'so long a time that it may be gone',
      'expired',
      (setting) => ended(setting, { stateful: { maxAgeMs: 1_000 } }, () => Date.now() + 2_000),
    ],
  ])('%s: the whole context is sent, and begins a new one', async (_what, reason, change) => {
    const summaries = ['A', 'B', 'C', 'D', 'E']
    const setting = await talkWith(({ lastUserText }) => {
      return lastUserText.startsWith('user:') ? 'Short.' : `Answer to ${lastUserText}`
    })
    for (const text of summaries) await setting.session.send(`${text}? ${'word '.repeat(50)}`).result
    const { agents } = await change(setting)
    const session = agents.at(setting.session.id)
    const before = setting.stub.exchanges.length
    await session.send('And now?').result
    await session.send('And then?').result
    const [first, second] = requests(setting.stub).slice(before)
    expect(first?.from).toBeNull()
    expect(first?.sends.length).toBeGreaterThan(2)
    expect(second).toEqual(delta('user'))
    const reasons = (await dataOf(session, 'provider_context.invalidated')).map((data) => data.reason)
    expect(reasons).toEqual([reason])
  })

  it('a fork: it is told whole, and its origin goes on as before', async () => {
    const { stub, session, agents } = await talkWith(['One.', 'Two.', 'Three.'])
    await session.send('1?').result
    const { id } = await session.log.fork()
    await agents.at(id).send('2?').result
    await session.send('3?').result
    expect(requests(stub).slice(1)).toMatchObject([{ from: null }, delta('user')])
  })
})

it('an answer that came after a correction is not gone on from: the session does not have the correction', async () => {
  const { stub, session } = await talkWith(
    ['nonsense', '{"sky":"clear"}', '{"sky":"grey"}', '{"sky":"blue"}'],
    {
      output: z.object({ sky: z.string() }),
      maxAttempts: 2,
    },
  )
  for (const text of ['1?', '2?', '3?']) await session.send(text).result
  expect(requests(stub)).toEqual([
    whole('user'),
    whole('user', 'assistant', 'user'),
    whole('user', 'assistant', 'user'),
    delta('user'),
  ])
})

it('a stop keeps what was said and ends nothing: what came since is sent, the broken answer with it', async () => {
  const { stub, session } = await talkWith([
    'One.',
    {
      parts: [{ type: 'text', text: 'A long answer. '.repeat(200) }],
      fault: { type: 'hang', afterBytes: 6_000 },
    },
    'Three.',
  ])
  await session.send('1?').result
  const second = session.send('2?')
  for await (const item of second) {
    if (item.type === 'draft') break
  }
  await session.stop()
  expect(await session.send('3?').result).toMatchObject({ text: 'Three.' })
  expect(requests(stub).slice(1)).toEqual([delta('user'), delta('user', 'assistant', 'user')])
  expect(stub.exchanges[2]?.body.previous_response_id).toBe(stub.exchanges[1]?.body.previous_response_id)
})

describe('another process', () => {
  it('goes on with what is new', async () => {
    const setting = await talkWith(['One.', 'Two.'])
    await setting.session.send('1?').result
    await setting.end()
    const { agents } = await started(setting.path, { agents: [agentOf(setting.stub)], pollMs: 0 })
    expect(await agents.at(setting.session.id).send('2?').result).toMatchObject({ text: 'Two.' })
    expect(requests(setting.stub)).toEqual([whole('user'), delta('user')])
  })

  it('counts on: the first request once, and what each later one added, also after a stop and a loss', async () => {
    const setting = await talkWith([
      ...['One.', 'Two.'],
      {
        parts: [{ type: 'text', text: 'A long answer. '.repeat(200) }],
        fault: { type: 'hang', afterBytes: 6_000 },
      },
      ...['Four.', 'Five.', 'Six.'],
    ])
    const { stub } = setting
    for (const text of ['1?', '2?']) await setting.session.send(text).result
    for await (const item of setting.session.send('3?')) if (item.type === 'draft') break
    await setting.session.stop()
    await setting.agents.idle()
    await setting.end()
    const { agents } = await started(setting.path, { agents: [agentOf(stub)], pollMs: 0 })
    const session = agents.at(setting.session.id)
    await session.send('4?').result
    stub.forgetResponses()
    for (const text of ['5?', '6?']) await session.send(text).result
    const [first, second, ...more] = await dataOf(session, 'provider_context.opened')
    expect(more).toEqual([])
    const rows = await dataOf(session, 'usage.recorded')
    const none = undefined
    const of = (opened: typeof first) => ({ contextId: opened?.contextId, tokens: expect.any(Number) })
    expect(rows.map(({ status, context }) => [status, context])).toEqual([
      ['ok', none],
      ['ok', of(first)],
      ['aborted', none],
      ['ok', of(first)],
      ['failed', none],
      ['ok', none],
      ['ok', of(second)],
    ])
    const added = rows.flatMap(({ context }) => (context ? [context.tokens] : []))
    // What was stopped is sent again, and its broken answer with it.
    expect(added[1]).toBeGreaterThan((added[0] ?? 0) + 50)
    expect((await session.log.view()).counters).toMatchObject({
      initialTokenCount: first?.initialTokens,
      deltaTokenCount: added.reduce((sum, tokens) => sum + tokens, 0),
    })
    expect(first?.initialTokens).toBe(rows[0]?.promptTokens)
    expect(second?.initialTokens).toBe(rows[5]?.promptTokens)
    expect((await session.log.contextState()).providerContext).toMatchObject({ deltaTokens: added[2] })
  })

  it('asks again from the same answer, when the first one was lost with its process', async () => {
    const stub = await stubOf([
      looks,
      { parts: [{ type: 'text', text: 'Lost.' }], fault: { type: 'hang', afterBytes: 1 } },
      'It is clear.',
    ])
    const path = newPlace()
    const first = await started(path, { agents: [agentOf(stub)], pollMs: 0, leaseTtlMs: 60_000 })
    const session = await first.agents.create({ agentId: 'helper' })
    session.send('Weather in Oslo?').result.catch(() => undefined)
    while (stub.exchanges.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    const clock = () => Date.now() + 120_000
    const second = await started(path, { agents: [agentOf(stub)], pollMs: 0, clock })
    await second.agents.recover()
    await second.agents.idle()
    expect((await second.agents.at(session.id).log.view()).run).toMatchObject({ state: 'completed' })
    const [, lost, again] = requests(stub)
    expect(lost).toEqual(delta('function_call_output'))
    expect(again?.from).toBe(lost?.from)
  })
})
