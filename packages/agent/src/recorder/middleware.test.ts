/** Loops of the AI SDK, recorded into a SQLite file: over HTTP with the real provider packages where the wire matters. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { Holdfast } from '@holdfast/core'
import {
  generateText,
  isStepCount,
  jsonSchema,
  type ModelMessage,
  streamText,
  tool,
  wrapLanguageModel,
} from 'ai'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startProviderStub } from '../testing/provider-stub.ts'
import type { Script } from '../testing/script.ts'
import { type ScriptedModelOptions, scriptedModel } from '../testing/scripted-model.ts'
import { recordTo } from './recorder.ts'
import { modelMessages, Place } from './testing/place.ts'

let place: Place
let holdfast: Holdfast
beforeEach(async () => {
  place = new Place()
  holdfast = await place.open()
})
afterEach(() => place[Symbol.asyncDispose]())

const makeSession = () => holdfast.sessions.create({ agentId: 'loop' })
type Session = Awaited<ReturnType<typeof makeSession>>

const recorderFor = (session: Session) => recordTo(session, { clock: place.time, ttlMs: 60_000 })

function scripted(session: Session, script: Script, options: Partial<ScriptedModelOptions> = {}) {
  const recorder = recorderFor(session)
  const model = scriptedModel({ script, ...options })
  return { recorder, model: wrapLanguageModel({ model, middleware: recorder.middleware }) }
}

async function typesOf(session: Session): Promise<string[]> {
  const { events } = await session.events()
  return events.map(({ type }) => type).filter((type) => !type.startsWith('lease.'))
}

async function textsOf(session: Session): Promise<string[]> {
  const { messages } = await session.messages()
  return messages.map(({ role, parts }) => {
    const texts = parts.map((part) => {
      if (part.type === 'text') return part.text
      return part.type === 'tool_result' ? `result ${JSON.stringify(part.output)}` : part.type
    })
    return `${role}: ${texts.join(', ')}`
  })
}

const calling: Exclude<Script, readonly unknown[]> = ({ results }) =>
  results.length > 0
    ? `it was ${results.map(({ output }) => output).join(' and ')}`
    : {
        parts: [
          { type: 'reasoning', text: 'both' },
          { type: 'text', text: 'I look.' },
          { type: 'tool_call', name: 'look', input: { at: 'a' } },
          { type: 'tool_call', name: 'look', input: { at: 'b' } },
        ],
        usage: { promptTokens: 100, completionTokens: 30, reasoningTokens: 10, cachedReadTokens: 60 },
      }

const look = tool({
  inputSchema: jsonSchema<{ at: string }>({ type: 'object', properties: { at: { type: 'string' } } }),
  execute: async ({ at }) => `green ${at}`,
})
const asked: { messages: ModelMessage[] } = { messages: [{ role: 'user', content: 'look at both' }] }
const loop = { tools: { look }, stopWhen: isStepCount(4), maxRetries: 0 }

const round = (...inside: string[]) => ['round.started', ...inside, 'round.completed']
const wholeLoop = [
  ...['session.created', 'session.activated', 'message.appended', 'run.started'],
  ...round(
    ...['message.appended', 'tool.called', 'tool.called', 'usage.recorded'],
    ...['tool.finished', 'tool.finished'],
  ),
  ...round('message.appended', 'usage.recorded'),
  ...['run.finalizing', 'run.completed'],
]

describe('a loop that is recorded by wrapping its model', () => {
  it.each(['streamed', 'whole'])('leaves runs, rounds, tool calls and usage (%s)', async (kind) => {
    const session = await makeSession()
    const { model } = scripted(session, calling)
    if (kind === 'whole') await generateText({ model, ...asked, ...loop })
    else await streamText({ model, ...asked, ...loop }).consumeStream()
    expect(await typesOf(session)).toEqual(wholeLoop)
    expect(await textsOf(session)).toEqual([
      'user: look at both',
      'assistant: reasoning, I look., tool_call, tool_call',
      'tool: result "green a"',
      'tool: result "green b"',
      'assistant: it was green a and green b',
    ])
    const { rows } = await holdfast.usage.list(session.id)
    expect(rows).toMatchObject([
      { promptTokens: 100, completionTokens: 30, reasoningTokens: 10, cachedReadTokens: 60, status: 'ok' },
      { model: 'scripted', providerId: 'scripted', estimated: false, costSource: 'unknown' },
    ])
    expect(await session.view()).toMatchObject({
      counters: { turnCount: 1, roundCount: 2, exchangeCount: 1 },
      status: 'idle',
    })
    expect(place.time.beating).toBe(0)
  })

  it('runs a tool only when its call is in the log', async () => {
    const session = await makeSession()
    const { model } = scripted(session, calling)
    const seen: boolean[] = []
    const watched = tool({
      ...look,
      execute: async () => {
        seen.push((await typesOf(session)).includes('tool.called'))
        return 'seen'
      },
    })
    await streamText({ model, ...asked, ...loop, tools: { look: watched } }).consumeStream()
    expect(seen).toEqual([true, true])
  })

  it('records only what is new when the conversation goes on, also in another process', async () => {
    const session = await makeSession()
    const script: Script = ({ lastUserText }) => `you said ${lastUserText}`
    const first = scripted(session, script)
    const one = await generateText({ model: first.model, messages: [{ role: 'user', content: 'one' }] })
    const history: ModelMessage[] = [{ role: 'user', content: 'one' }, ...one.responseMessages]
    const again: ModelMessage[] = [...history, { role: 'user', content: 'one' }]
    const two = await generateText({ model: first.model, messages: again })
    const { model } = scripted((await holdfast.sessions.open(session.id)) as Session, script)
    const third: ModelMessage[] = [...again, ...two.responseMessages, { role: 'user', content: 'three' }]
    await generateText({ model, messages: third })
    expect(await textsOf(session)).toEqual([
      ...['user: one', 'assistant: you said one', 'user: one', 'assistant: you said one'],
      ...['user: three', 'assistant: you said three'],
    ])
    expect((await session.view()).counters.turnCount).toBe(3)
  })

  it('ends the run that a recorder before it left, when each request has a recorder of its own', async () => {
    const session = await makeSession()
    const first = scripted(session, calling)
    const { responseMessages } = await generateText({
      ...{ model: first.model, ...asked, ...loop, stopWhen: isStepCount(1) },
    })
    const messages = [...asked.messages, ...responseMessages, { role: 'user' as const, content: 'so?' }]
    const second = scripted(session, ['green'])
    await generateText({ model: second.model, messages })
    expect((await session.view()).counters).toMatchObject({ turnCount: 2, roundCount: 2, messageCount: 6 })
    const results = (await session.messages()).messages.filter(({ role }) => role === 'tool')
    expect(results.map(({ parts }) => parts[0])).toMatchObject([{ output: 'green a' }, { output: 'green b' }])
    expect(place.time.beating).toBe(0)
  })

  it('ends the run of a loop that stopped after its tools when the user speaks again, with their results', async () => {
    const session = await makeSession()
    const { model } = scripted(session, (told) => (told.lastUserText === 'so?' ? 'green' : calling(told)))
    const first = await generateText({ model, ...asked, ...loop, stopWhen: isStepCount(1) })
    expect((await session.view()).status).toBe('running')
    const messages = [...asked.messages, ...first.responseMessages, { role: 'user' as const, content: 'so?' }]
    await generateText({ model, messages })
    expect((await session.view()).counters).toMatchObject({ turnCount: 2, roundCount: 2 })
    const results = (await session.messages()).messages.filter(({ role }) => role === 'tool')
    expect(results.map(({ parts }) => parts[0])).toMatchObject([{ output: 'green a' }, { output: 'green b' }])
  })

  it('does not write a question again that another process wrote and nobody answered', async () => {
    const session = await makeSession()
    {
      await using recorder = recorderFor(session)
      await recorder.input('hi')
      await recorder.call()
    }
    const { model } = scripted(session, ['hello'])
    await generateText({ model, prompt: 'hi' })
    expect(await textsOf(session)).toEqual(['user: hi', 'assistant: hello'])
  })

  it('takes an earlier history into an empty session, paired', async () => {
    const session = await makeSession()
    const { model } = scripted(session, ['gladly'])
    const call = { type: 'tool-call' as const, toolCallId: 'c1', toolName: 'look', input: { at: 'a' } }
    const output = { type: 'error-text' as const, value: 'too dark' }
    const result = { type: 'tool-result' as const, toolCallId: 'c1', toolName: 'look', output }
    const messages: ModelMessage[] = [
      { role: 'user', content: 'before' },
      { role: 'assistant', content: [call] },
      { role: 'tool', content: [result] },
      { role: 'assistant', content: 'it was dark' },
      { role: 'user', content: 'thanks' },
    ]
    await generateText({ model, messages })
    expect(await textsOf(session)).toEqual([
      ...['user: before', 'assistant: tool_call', 'tool: result "too dark"', 'assistant: it was dark'],
      ...['user: thanks', 'assistant: gladly'],
    ])
  })

  it('keeps the bytes of a file once, also when the call is tried again, and an address as it is', async () => {
    const session = await makeSession()
    const script: Script = [{ fault: { type: 'overloaded' } }, 'a dot', 'still']
    const bytes = new Uint8Array([137, 80, 78, 71])
    const data = { type: 'data' as const, data: bytes }
    const url = { type: 'url' as const, url: new URL('https://example.com/dot.png') }
    const content = [
      { type: 'text' as const, text: 'what is it?' },
      { type: 'file' as const, mediaType: 'image/png', data },
      { type: 'file' as const, mediaType: 'image/png', data: url, filename: 'dot.png' },
    ]
    const prompt = [{ role: 'user' as const, content }]
    const { model } = scripted(session, script)
    await expect((model as LanguageModelV4).doGenerate({ prompt })).rejects.toThrow(/overloaded/)
    await (scripted(session, script.slice(1)).model as LanguageModelV4).doGenerate({ prompt })
    const { messages } = await session.messages()
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant'])
    const [, image, address] = messages[0]?.parts ?? []
    expect(address).toMatchObject({
      type: 'data',
      data: { url: 'https://example.com/dot.png', name: 'dot.png' },
    })
    expect(image).toMatchObject({ type: 'image', mediaType: 'image/png', bytes: 4 })
    expect(await session.getAttachment(image?.type === 'image' ? image.hash : '')).toEqual(bytes)
    expect((await typesOf(session)).filter((type) => type === 'note.added')).toHaveLength(1)
  })

  it('takes a history that is longer than a commit', async () => {
    const session = await makeSession()
    const { model } = scripted(session, ['gladly'])
    const messages = Array.from({ length: 2_101 }, (_, i): ModelMessage => {
      return i % 2 === 0 ? { role: 'user', content: `q ${i}` } : { role: 'assistant', content: `a ${i}` }
    })
    await generateText({ model, messages })
    expect((await session.view()).counters.messageCount).toBe(2_102)
  })

  it('counts a try that was refused as an attempt, in one round and without the question twice', async () => {
    const session = await makeSession()
    const { model } = scripted(session, [{ fault: { type: 'rate_limit', retryAfterSecs: 0 } }, 'hello'])
    await generateText({ model, prompt: 'hi', maxRetries: 1 })
    const { rows } = await holdfast.usage.list(session.id)
    expect(rows.map((row) => [row.status, row.promptTokens, row.estimated])).toEqual([
      ['failed', 0, false],
      ['ok', expect.any(Number), false],
    ])
    expect(await session.view()).toMatchObject({ counters: { turnCount: 1, roundCount: 1, messageCount: 2 } })
  })

  it('fails the run when the provider refuses for good, and answers the same question in the next', async () => {
    const session = await makeSession()
    const { model } = scripted(session, [{ fault: { type: 'context_length' } }, 'hello'])
    await expect(generateText({ model, prompt: 'hi' })).rejects.toThrow(/context length/)
    expect((await session.view()).run).toMatchObject({ state: 'failed', error: 'context length (scripted)' })
    await generateText({ model, prompt: 'hi' })
    expect(await textsOf(session)).toEqual(['user: hi', 'assistant: hello'])
  })

  it('keeps what was said before a cut, with an estimate of what it cost', async () => {
    const session = await makeSession()
    const text = 'a long answer, '.repeat(20)
    const cut = { parts: [{ type: 'text' as const, text }], fault: { type: 'cut' as const, afterBytes: 100 } }
    const { model } = scripted(session, [cut, 'now whole'])
    const failing = streamText({ model, prompt: 'hi', onError: () => {} })
    await failing.consumeStream()
    const [, partial] = (await session.messages()).messages
    expect(partial).toMatchObject({ finish: 'interrupted', parts: [{ text: text.slice(0, 112) }] })
    const [row] = (await holdfast.usage.list(session.id)).rows
    expect(row).toMatchObject({ status: 'failed', estimated: true, completionTokens: 28 })
    expect(row?.promptTokens).toBeGreaterThan(0)
    await streamText({ model, prompt: 'hi' }).consumeStream()
    expect((await textsOf(session)).filter((line) => line.startsWith('user'))).toEqual(['user: hi'])
  })

  it.each(['a signal', 'the reader leaving'])('keeps the partial answer when stopped by %s', async (by) => {
    const session = await makeSession()
    const stopping = new AbortController()
    let pieces = 0
    const pause = async () => {
      pieces += 1
      if (pieces === 8 && by === 'a signal') stopping.abort()
    }
    const { model } = scripted(session, ['x'.repeat(400)], { pause, pieceSize: 10 })
    if (by === 'a signal') {
      const { stream } = streamText({ model, prompt: 'hi', abortSignal: stopping.signal })
      for await (const _part of stream);
    } else {
      const { stream } = await (model as LanguageModelV4).doStream({ prompt: userPrompt })
      for await (const part of stream) if (part.type === 'text-delta') break
    }
    await vi.waitFor(async () => {
      expect(await session.view()).toMatchObject({ run: { state: 'cancelled' }, status: 'idle' })
    })
    const [, partial] = (await session.messages()).messages
    expect(partial).toMatchObject({ finish: 'interrupted', parts: [{ text: expect.stringMatching(/^x+$/) }] })
    const [row] = (await holdfast.usage.list(session.id)).rows
    expect(row).toMatchObject({ status: 'aborted', estimated: true })
    expect(row?.completionTokens).toBeGreaterThan(0)
    expect(place.time.beating).toBe(0)
  })

  it('keeps arguments that no number can hold as the text that they are', async () => {
    const session = await makeSession()
    const input = { at: Number.MAX_SAFE_INTEGER * 1_000 }
    const { model } = scripted(session, [{ parts: [{ type: 'tool_call', name: 'look', input }] }, 'so'])
    await generateText({ model, ...asked, ...loop })
    const [, said] = (await session.messages()).messages
    expect(said?.parts).toMatchObject([{ input: '{"at":9007199254740991000}' }])
  })

  it('keeps arguments that are broken JSON as the text that they are', async () => {
    const session = await makeSession()
    const { model } = scripted(session, [
      {
        parts: [{ type: 'tool_call', name: 'look', input: { at: 'a' } }],
        fault: { type: 'invalid_arguments' },
      },
      'sorry',
    ])
    await generateText({ model, ...asked, ...loop })
    const { messages } = await session.messages()
    expect(messages[1]?.parts).toMatchObject([{ type: 'tool_call', input: '{"at":"a"' }])
    expect(messages[2]?.parts).toMatchObject([{ type: 'tool_result', outcome: 'error' }])
  })
})

const userPrompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }]

describe('with telemetry beside the middleware', () => {
  it('a result is in the log as soon as the tool gave it', async () => {
    const session = await makeSession()
    const { recorder, model } = scripted(session, ({ index }) => {
      return index === 0 ? { parts: [{ type: 'tool_call', name: 'look', input: { at: 'a' } }] } : 'done'
    })
    const seen: string[][] = []
    const onStepEnd = async () => void seen.push((await typesOf(session)).slice(-1))
    await streamText({
      ...{ model, ...asked, ...loop, onStepEnd },
      telemetry: { integrations: recorder.telemetry },
    }).consumeStream()
    expect(seen[0]).toEqual(['tool.finished'])
    expect((await typesOf(session)).filter((type) => type === 'tool.finished')).toHaveLength(1)
  })

  it('a loop that stops after its tools ends its run', async () => {
    const session = await makeSession()
    const { recorder, model } = scripted(session, calling)
    const telemetry = { integrations: recorder.telemetry }
    await generateText({ model, ...asked, ...loop, stopWhen: isStepCount(1), telemetry })
    expect(await session.view()).toMatchObject({ run: { state: 'completed' }, counters: { turnCount: 1 } })
  })

  it('a stop while a tool runs cancels the run', async () => {
    const session = await makeSession()
    const stopping = new AbortController()
    const { recorder, model } = scripted(session, calling)
    const stopped = tool({
      ...look,
      execute: async () => {
        stopping.abort()
        return 'seen'
      },
    })
    const telemetry = { integrations: recorder.telemetry }
    const options = { ...loop, tools: { look: stopped }, abortSignal: stopping.signal, telemetry }
    await streamText({ model, ...asked, ...options }).consumeStream()
    await vi.waitFor(async () => expect((await session.view()).run).toMatchObject({ state: 'cancelled' }))
    expect(place.time.beating).toBe(0)
  })

  it('a tool that threw has an error as its result', async () => {
    const session = await makeSession()
    const { recorder, model } = scripted(session, calling)
    const broken = tool({ ...look, execute: () => Promise.reject(new Error('it broke')) })
    const telemetry = { integrations: recorder.telemetry }
    await generateText({ model, ...asked, ...loop, tools: { look: broken }, telemetry })
    const { messages } = await session.messages()
    const results = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool_result'))
    expect(results).toMatchObject([
      { outcome: 'error', output: 'it broke' },
      { outcome: 'error', output: 'it broke' },
    ])
  })
})

describe('over HTTP, what a provider signs or encrypts is kept byte for byte, and its history is taken again', () => {
  it.each(['anthropic', 'openai-chat', 'openai-responses'])('%s', async (wire) => {
    await using stub = await startProviderStub({ script: calling })
    const session = await makeSession()
    const model = wrapLanguageModel({ model: modelOn(stub.baseUrl, wire), ...recorderOf(session) })
    const store = {
      providerOptions: { openai: { store: false, include: ['reasoning.encrypted_content' as const] } },
    }
    const options = { ...loop, ...(wire === 'openai-responses' && store) }
    await streamText({ model, ...asked, ...options }).consumeStream()
    const [, said] = (await session.messages()).messages
    const reasoning = said?.parts.find((part) => part.type === 'reasoning')
    if (wire === 'anthropic') expect(reasoning).toMatchObject({ text: 'both', signature: SIGNATURE })
    if (wire === 'openai-responses')
      expect(reasoning).toMatchObject({
        text: 'both',
        encrypted: expect.stringMatching(/^scripted-encrypted-/),
      })
    const messages = [
      ...modelMessages(await session.providerView()),
      { role: 'user' as const, content: 'more' },
    ]
    await generateText({ model, messages, ...options })
    expect(stub.exchanges.map(({ refusal }) => refusal)).toEqual([undefined, undefined, undefined, undefined])
    const { rows } = await holdfast.usage.list(session.id)
    expect(rows[0]).toMatchObject({ promptTokens: 100, completionTokens: 30, cachedReadTokens: 60 })
    const { events } = await session.events()
    expect(events.find(({ type }) => type === 'usage.recorded')?.data).toHaveProperty('raw')
    expect(await session.view()).toMatchObject({ counters: { turnCount: 2, costUnknown: 4 } })
  })

  it('an answer of Anthropic that is cut costs the prompt that was told, and a guess for the rest', async () => {
    const usage = { promptTokens: 5_000, cachedReadTokens: 4_000 }
    const fault = { type: 'cut' as const, afterBytes: 2_000 }
    const script = [{ parts: [{ type: 'text' as const, text: 'x'.repeat(4_000) }], usage, fault }]
    await using stub = await startProviderStub({ script })
    const session = await makeSession()
    const model = wrapLanguageModel({ model: modelOn(stub.baseUrl, 'anthropic'), ...recorderOf(session) })
    await streamText({ model, prompt: 'hi', onError: () => {} }).consumeStream()
    const { rows } = await holdfast.usage.list(session.id)
    expect(rows).toMatchObject([{ ...usage, status: 'failed', estimated: true }])
  })

  const recorderOf = (session: Session) => ({ middleware: recorderFor(session).middleware })

  function modelOn(baseURL: string, wire: string) {
    if (wire === 'anthropic') return createAnthropic({ baseURL, apiKey: 'k' })('claude-sonnet-4-5')
    const openai = createOpenAI({ baseURL, apiKey: 'k' })
    return wire === 'openai-chat' ? openai.chat('gpt-5-mini') : openai.responses('gpt-5-mini')
  }
})

const SIGNATURE = expect.stringMatching(/^scripted-signature-[0-9a-f]{64}$/)
