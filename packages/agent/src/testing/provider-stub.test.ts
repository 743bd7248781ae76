/** The real provider packages against the stub, over HTTP, as a program would use them. */
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import type { JsonObject } from '@holdfast/protocol'
import { APICallError, generateText, isStepCount, jsonSchema, type LanguageModel, streamText, tool } from 'ai'
import { afterEach, describe, expect, it } from 'vitest'
import { type ProviderStub, type ProviderStubOptions, startProviderStub } from './provider-stub.ts'
import type { Script } from './script.ts'

const opened: ProviderStub[] = []
afterEach(async () => {
  for (const stub of opened.splice(0)) await stub.close()
})

async function stubOf(script: Script, options: Partial<ProviderStubOptions> = {}): Promise<ProviderStub> {
  const stub = await startProviderStub({ script, ...options })
  opened.push(stub)
  return stub
}

type Wire = ProviderStub['exchanges'][number]['wire']

function modelOf(wire: Wire, { baseUrl }: ProviderStub): LanguageModel {
  if (wire === 'anthropic') return createAnthropic({ baseURL: baseUrl, apiKey: 'k' })('claude-sonnet-4-5')
  const openai = createOpenAI({ baseURL: baseUrl, apiKey: 'k' })
  return wire === 'openai-chat' ? openai.chat('gpt-5-mini') : openai.responses('gpt-5-mini')
}

const paths: Record<Wire, string> = {
  anthropic: '/messages',
  'openai-chat': '/chat/completions',
  'openai-responses': '/responses',
}
const wires = Object.keys(paths) as Wire[]

const look = tool({
  description: 'looks at a thing',
  inputSchema: jsonSchema<{ at: string }>({ type: 'object', properties: { at: { type: 'string' } } }),
  execute: async ({ at }) => `saw ${at}`,
})

/** Thinks, looks at two things at once, then says what it was told. */
const looking: Script = ({ results }) => {
  if (results.length > 0) return results.map(({ output }) => output).join(' and ')
  return {
    parts: [
      { type: 'reasoning', text: 'both at once' },
      { type: 'text', text: 'I will look.' },
      { type: 'tool_call', name: 'look', input: { at: 'a' } },
      { type: 'tool_call', name: 'look', input: { at: 'b' } },
    ],
    usage: {
      promptTokens: 100,
      completionTokens: 40,
      reasoningTokens: 12,
      cachedReadTokens: 60,
      cachedWriteTokens: 30,
    },
  }
}
const history = { system: 'be brief', messages: [{ role: 'user' as const, content: 'look at a and b' }] }
const twoSteps = { tools: { look }, stopWhen: isStepCount(4), maxRetries: 0 }

describe.each(wires)('%s', (wire) => {
  it('runs a tool loop as a stream', async () => {
    const stub = await stubOf(looking)
    const result = streamText({ model: modelOf(wire, stub), ...history, ...twoSteps })
    const types = new Set<string>()
    for await (const part of result.stream) types.add(part.type)
    expect(await result.text).toBe('saw a and saw b')
    expect(types).toContain('tool-result')
    const [first] = await result.steps
    expect(first?.text).toBe('I will look.')
    expect(first?.toolCalls.map(({ input }) => input)).toEqual([{ at: 'a' }, { at: 'b' }])
    expect(first?.usage.inputTokens).toBe(100)
    expect(first?.usage.inputTokenDetails).toMatchObject({ cacheReadTokens: 60 })
    expect(first?.usage.outputTokens).toBe(40)
    if (wire !== 'openai-chat') expect(first?.reasoningText).toBe('both at once')
    expect(stub.exchanges.map((exchange) => [exchange.wire, exchange.refusal])).toEqual([
      [wire, undefined],
      [wire, undefined],
    ])
  })

  it('runs the same loop with whole answers', async () => {
    const stub = await stubOf(looking)
    const result = await generateText({ model: modelOf(wire, stub), ...history, ...twoSteps })
    expect(result.text).toBe('saw a and saw b')
    expect(result.steps[0]?.usage.inputTokens).toBe(100)
    expect(result.steps[0]?.usage.inputTokenDetails.cacheReadTokens).toBe(60)
    expect(stub.exchanges).toHaveLength(2)
  })

  it('gives the same call ids for the same history, and others for another', async () => {
    const stub = await stubOf(() => ({ parts: [{ type: 'tool_call', name: 'look', input: {} }] }))
    const ids = async (content: string) => {
      const messages = [{ role: 'user' as const, content }]
      const { toolCalls } = await generateText({ model: modelOf(wire, stub), messages, tools: { look } })
      return toolCalls.map(({ toolCallId }) => toolCallId)
    }
    const first = await ids('look')
    expect(await ids('look')).toEqual(first)
    expect(await ids('look again')).not.toEqual(first)
    expect(first[0]).toMatch(/^call_scripted_/)
  })

  it('says that it is scripted', async () => {
    const stub = await stubOf(['hello'])
    const { response } = await generateText({ model: modelOf(wire, stub), prompt: 'hi' })
    expect(response.id).toMatch(/scripted_1/)
    expect(response.headers?.['x-scripted']).toBe('true')
  })

  it('refuses an answer without its call as the provider does, over HTTP', async () => {
    const stub = await stubOf(['never said'])
    const messages = [
      { role: 'user' as const, content: 'look' },
      {
        role: 'tool' as const,
        content: [toolResult('a')],
      },
      { role: 'user' as const, content: 'so?' },
    ]
    const failing = generateText({ model: modelOf(wire, stub), messages, maxRetries: 0 })
    const error = await failing.catch((thrown: unknown) => thrown)
    expect(APICallError.isInstance(error) && error).toMatchObject({ statusCode: 400, isRetryable: false })
    expect((error as APICallError).message).toBe(stub.exchanges[0]?.refusal)
  })

  it('takes no body that is no JSON', async () => {
    const stub = await stubOf(['never said'])
    const response = await fetch(stub.baseUrl + paths[wire], { method: 'POST', body: '{"model"' })
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('parse the JSON')])
    expect(stub.exchanges).toEqual([])
  })

  it('wants a key', async () => {
    const stub = await stubOf(['never said'])
    const response = await fetch(stub.baseUrl + paths[wire], { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
  })

  describe('fails on demand:', () => {
    const ask = (stub: ProviderStub, more: JsonObject = {}) =>
      generateText({ model: modelOf(wire, stub), prompt: 'hi', maxRetries: 0, ...more })
    const errorOf = async (asked: PromiseLike<unknown>): Promise<APICallError> => {
      try {
        await asked
      } catch (error) {
        return error as APICallError
      }
      throw new Error('it did not fail')
    }

    it('429 with retry-after, and the next try is answered', async () => {
      const stub = await stubOf([{ fault: { type: 'rate_limit', retryAfterSecs: 0 } }, 'hello'])
      expect((await ask(stub, { maxRetries: 1 })).text).toBe('hello')
      expect(stub.exchanges.map(({ fault }) => fault)).toEqual(['rate_limit', undefined])
    })

    it('429 says when there is room again', async () => {
      const stub = await stubOf([{ fault: { type: 'rate_limit', retryAfterSecs: 7 } }])
      const error = await errorOf(ask(stub))
      expect(error).toMatchObject({ statusCode: 429, isRetryable: true })
      expect(error.responseHeaders?.['retry-after']).toBe('7')
    })

    it('500 and overloaded, both worth another try', async () => {
      const stub = await stubOf([{ fault: { type: 'server_error' } }, { fault: { type: 'overloaded' } }])
      expect(await errorOf(ask(stub))).toMatchObject({ statusCode: 500, isRetryable: true })
      const statusCode = wire === 'anthropic' ? 529 : 503
      expect(await errorOf(ask(stub))).toMatchObject({ statusCode, isRetryable: true })
    })

    it('a history that is too long, when the script says so and when it is', async () => {
      const stub = await stubOf([{ fault: { type: 'context_length' } }], { maxPromptTokens: 1_000 })
      const pattern = /too long|maximum context length|context window/
      expect(await errorOf(ask(stub))).toMatchObject({ statusCode: 400, isRetryable: false })
      const error = await errorOf(ask(stub, { prompt: 'x'.repeat(8_000) }))
      expect(error.message).toMatch(pattern)
    })

    it('the stream is cut after so many bytes', async () => {
      const stub = await stubOf([{ ...long, fault: { type: 'cut', afterBytes: 2_500 } }])
      const { text, error } = await streamed(modelOf(wire, stub))
      expect(long.parts[0]?.text.startsWith(text)).toBe(true)
      expect(text.length).toBeGreaterThan(0)
      expect(text.length).toBeLessThan(long.parts[0]?.text.length ?? 0)
      expect(error).toBeDefined()
    })

    it('a whole answer is cut after so many bytes', async () => {
      const stub = await stubOf([{ ...long, fault: { type: 'cut', afterBytes: 30 } }])
      expect(await errorOf(ask(stub))).toBeInstanceOf(Error)
    })

    it('the stream hangs until the caller gives up', async () => {
      const stub = await stubOf([{ ...long, fault: { type: 'hang', afterBytes: 2_500 } }])
      const { text, aborted } = await streamed(modelOf(wire, stub), AbortSignal.timeout(300))
      expect(text.length).toBeGreaterThan(0)
      expect(aborted).toBe(true)
    })

    it('an error comes in the middle of the stream', async () => {
      const stub = await stubOf([{ ...long, fault: { type: 'stream_error' } }])
      const { text, error } = await streamed(modelOf(wire, stub))
      expect(text.length).toBeGreaterThan(0)
      expect(JSON.stringify(error)).toMatch(/scripted/)
    })

    it.each([true, false])('arguments are broken JSON (streamed: %s)', async (isStreamed) => {
      const fault = { type: 'invalid_arguments' } as const
      const call = { type: 'tool_call', name: 'look', input: { at: 'a' } } as const
      const stub = await stubOf([{ parts: [call], fault }])
      const asked = { model: modelOf(wire, stub), prompt: 'hi', tools: { look } }
      const [made] = isStreamed ? await streamText(asked).toolCalls : (await generateText(asked)).toolCalls
      // Only a stream of Anthropic's has room for JSON that is broken.
      const isText = wire === 'anthropic' && !isStreamed
      expect(made).toMatchObject(isText ? { input: '{"at":"a"' } : { invalid: true })
    })

    it('the output goes on until the limit', async () => {
      const stub = await stubOf([{ fault: { type: 'overlong', bytes: 5_000 } }])
      const { text, finishReason } = await ask(stub)
      expect([Buffer.byteLength(text), finishReason]).toEqual([5_000, 'length'])
    })

    it('the script is over', async () => {
      const stub = await stubOf(['once'])
      await ask(stub)
      expect((await errorOf(ask(stub))).message).toMatch(/has 1 replies and was asked for one more/)
    })
  })
})

describe('openai-responses keeps its answers', () => {
  const delta = (previousResponseId: string) => ({ providerOptions: { openai: { previousResponseId } } })

  it('so that a request may go on from the last one, until they are forgotten', async () => {
    const stub = await stubOf((asked) => `answer ${asked.index}`)
    const model = modelOf('openai-responses', stub)
    const first = await generateText({ model, prompt: 'one' })
    const second = await generateText({ model, prompt: 'two', ...delta(first.response.id) })
    expect(second.text).toBe('answer 1')
    expect(second.usage.inputTokens).toBeGreaterThan(first.usage.inputTokens ?? 0)
    stub.forgetResponses()
    const lost = generateText({ model, prompt: 'three', ...delta(second.response.id) })
    await expect(lost).rejects.toThrow(/Previous response with id/)
  })

  it('and tells that they are forgotten in the stream, where it was told to', async () => {
    const stub = await stubOf((asked) => `answer ${asked.index}`)
    const model = modelOf('openai-responses', stub)
    const first = await generateText({ model, prompt: 'one' })
    stub.forgetResponses({ inStream: true })
    const asked = { model: 'gpt-5-mini', input: 'two', previous_response_id: first.response.id }
    const said = async (more: object) => {
      const response = await fetch(`${stub.baseUrl}/responses`, {
        ...{ method: 'POST', headers: { authorization: 'Bearer k' } },
        body: JSON.stringify({ ...asked, ...more }),
      })
      return { status: response.status, text: await response.text() }
    }
    expect(await said({})).toMatchObject({ status: 400 })
    const { status, text } = await said({ stream: true })
    expect(status).toBe(200)
    const types = [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type)
    expect(types).toEqual(['response.created', 'response.in_progress', 'error'])
    expect(text).toContain('previous_response_not_found')
  })

  it('does not keep what was cut, nor what it was told not to store', async () => {
    const stub = await stubOf(['one', { ...long, fault: { type: 'cut', afterBytes: 3_000 } }, 'three'])
    const model = modelOf('openai-responses', stub)
    const options = { openai: { store: false } }
    const first = await generateText({ model, prompt: 'one', providerOptions: options })
    await expect(generateText({ model, prompt: 'two', ...delta(first.response.id) })).rejects.toThrow(
      /not found/,
    )
    await streamed(model)
    const cut = generateText({ model, prompt: 'two', ...delta('resp_scripted_2') })
    await expect(cut).rejects.toThrow(/not found/)
  })

  it('and reads reasoning that it encrypted, without storing it', async () => {
    const stub = await stubOf(looking)
    const include = ['reasoning.encrypted_content'] as const
    const providerOptions = { openai: { store: false, include: [...include] } }
    const result = await generateText({
      ...{ model: modelOf('openai-responses', stub), ...history, ...twoSteps },
      providerOptions,
    })
    expect(result.text).toBe('saw a and saw b')
    expect(JSON.stringify(stub.exchanges[1]?.body)).toContain('scripted-encrypted-')
  })
})

const long = { parts: [{ type: 'text' as const, text: 'a long answer, '.repeat(400) }] }

function toolResult(toolCallId: string) {
  const output = { type: 'text' as const, value: 'seen' }
  return { type: 'tool-result' as const, toolCallId, toolName: 'look', output }
}

/** What came of an answer, however it ended. */
async function streamed(model: LanguageModel, abortSignal?: AbortSignal) {
  const errors: unknown[] = []
  const result = streamText({
    ...{ model, prompt: 'hi', maxRetries: 0, onError: ({ error }) => void errors.push(error) },
    ...(abortSignal && { abortSignal }),
  })
  let text = ''
  let aborted = false
  try {
    for await (const part of result.stream) {
      if (part.type === 'text-delta') text += part.text
      if (part.type === 'abort') aborted = true
    }
  } catch (error) {
    errors.push(error)
  }
  return { text, aborted, error: errors[0] }
}
