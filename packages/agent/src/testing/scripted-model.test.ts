import type { LanguageModelV4, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { APICallError, generateText, isStepCount, jsonSchema, streamText, tool } from 'ai'
import { describe, expect, it } from 'vitest'
import { offlineModelId, offlineScripted } from './offline-scripted.ts'
import type { Script, ScriptedReply } from './script.ts'
import { scriptedModel } from './scripted-model.ts'

const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'hi' }] }]

async function partsOf(model: LanguageModelV4, signal?: AbortSignal) {
  const parts: LanguageModelV4StreamPart[] = []
  const { stream } = await model.doStream({ prompt, ...(signal && { abortSignal: signal }) })
  try {
    for await (const part of stream) parts.push(part)
  } catch (error) {
    return { parts, error }
  }
  return { parts, error: undefined }
}

function said(parts: readonly LanguageModelV4StreamPart[]): string {
  return parts.map((part) => (part.type === 'text-delta' ? part.delta : '')).join('')
}

const reply: ScriptedReply = {
  parts: [
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'it is five o’clock, 🎉 and that is all' },
    { type: 'tool_call', name: 'look', input: { at: 'a' } },
  ],
}

describe('a scripted model', () => {
  it('streams the same pieces each time, in the size that was asked for', async () => {
    const stream = async () => (await partsOf(scriptedModel({ script: [reply], pieceSize: 3 }))).parts
    const parts = await stream()
    expect(await stream()).toEqual(parts)
    expect(said(parts)).toBe('it is five o’clock, 🎉 and that is all')
    const deltas = parts.flatMap((part) => (part.type === 'text-delta' ? [[...part.delta].length] : []))
    expect(Math.max(...deltas)).toBe(3)
    expect(parts.at(-1)).toMatchObject({ type: 'finish', finishReason: { unified: 'tool-calls' } })
  })

  it('waits for the pause before each piece and says the time of its clock', async () => {
    let pauses = 0
    const pause = async () => void pauses++
    const model = scriptedModel({ script: ['hello'], pause, clock: () => 5_000_000 })
    const { parts } = await partsOf(model)
    expect(pauses).toBe(parts.length + 1)
    expect(parts[1]).toMatchObject({ modelId: 'scripted', timestamp: new Date(5_000_000) })
  })

  it('says the same as a whole', async () => {
    const { content } = await scriptedModel({ script: [reply] }).doGenerate({ prompt })
    expect(content.map(({ type }) => type)).toEqual(['reasoning', 'text', 'tool-call'])
  })

  it('runs a tool loop', async () => {
    const script: Script = ({ results }) => (results[0] ? `it was ${results[0].output}` : reply)
    const look = tool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'green' })
    const { text } = await generateText({
      ...{ model: scriptedModel({ script }), prompt: 'look', tools: { look }, stopWhen: isStepCount(2) },
    })
    expect(text).toBe('it was green')
  })

  it('tells when its script is over', async () => {
    const model = scriptedModel({ script: [] })
    await expect(model.doGenerate({ prompt })).rejects.toMatchObject({ code: 'invalid_input' })
  })
})

describe('a scripted model fails on demand:', () => {
  const long = 'x'.repeat(100)
  const failing = (fault: NonNullable<ScriptedReply['fault']>) =>
    scriptedModel({ script: [{ parts: [{ type: 'text', text: long }], fault }, 'hello'] })

  it('a refused call is tried again by the SDK', async () => {
    const model = failing({ type: 'rate_limit', retryAfterSecs: 0 })
    expect((await generateText({ model, prompt: 'hi', maxRetries: 1 })).text).toBe('hello')
  })

  it.each([
    ['rate_limit', 429, true],
    ['server_error', 500, true],
    ['overloaded', 529, true],
    ['context_length', 400, false],
  ] as const)('%s', async (type, statusCode, isRetryable) => {
    for (const call of ['doStream', 'doGenerate'] as const) {
      const error = await failing({ type })
        [call]({ prompt })
        .then(undefined, (thrown: unknown) => thrown)
      expect(APICallError.isInstance(error) && error).toMatchObject({ statusCode, isRetryable })
    }
  })

  it('a stream that is cut', async () => {
    const { parts, error } = await partsOf(failing({ type: 'cut', afterBytes: 40 }))
    expect(said(parts).length).toBe(48)
    expect(error).toMatchObject({ isRetryable: true })
  })

  it('an error in the stream', async () => {
    const { parts } = await partsOf(failing({ type: 'stream_error' }))
    expect(said(parts).length).toBeGreaterThan(0)
    expect(parts.at(-1)).toMatchObject({ type: 'error' })
  })

  it('a stream that hangs until it is aborted', async () => {
    const { parts, error } = await partsOf(failing({ type: 'hang', afterBytes: 40 }), AbortSignal.timeout(50))
    expect(said(parts).length).toBe(48)
    expect(error).toMatchObject({ name: 'TimeoutError' })
    const whole = failing({ type: 'hang', afterBytes: 0 }).doGenerate({
      ...{ prompt, abortSignal: AbortSignal.timeout(50) },
    })
    await expect(whole).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('a stream that is aborted between two pieces', async () => {
    const stopping = new AbortController()
    const pause = async () => void (stopped++ === 5 && stopping.abort())
    let stopped = 0
    const model = scriptedModel({ script: [long], pause, pieceSize: 1 })
    const { parts, error } = await partsOf(model, stopping.signal)
    expect(said(parts)).toBe('xx')
    expect(error).toMatchObject({ name: 'AbortError' })
  })

  it('arguments that are broken JSON', async () => {
    const script = [{ ...reply, fault: { type: 'invalid_arguments' as const } }]
    const look = tool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'never' })
    const { toolCalls } = streamText({ model: scriptedModel({ script }), prompt: 'hi', tools: { look } })
    expect((await toolCalls)[0]).toMatchObject({ invalid: true })
  })

  it('output without an end', async () => {
    const { content, finishReason } = await failing({ type: 'overlong', bytes: 999 }).doGenerate({ prompt })
    expect(content).toMatchObject([{ text: expect.stringMatching(/^.{999}$/) }])
    expect(finishReason.unified).toBe('length')
  })
})

describe('the offline model', () => {
  const clock = tool({
    inputSchema: jsonSchema({ type: 'object' }),
    execute: async () => '2026-01-02T03:04Z',
  })
  const askQuestion = tool({ inputSchema: jsonSchema({ type: 'object' }), execute: async () => 'tea' })
  const tools = { clock, ask_question: askQuestion }
  const run = (text: string) =>
    generateText({ model: offlineScripted(), prompt: text, tools, stopWhen: isStepCount(3) })

  it('is called what it is, and says so in every answer', async () => {
    expect(offlineScripted()).toMatchObject({ provider: 'holdfast', modelId: offlineModelId })
    for (const text of ['hello', 'what time is it?', 'ask me: tea or coffee?']) {
      const { steps } = await run(text)
      for (const step of steps) expect(step.text).toMatch(/^\[offline-scripted\] /)
    }
  })

  it('looks at the real clock when it is asked for the time', async () => {
    const { steps, text } = await run('what time is it?')
    expect(steps[0]?.toolCalls.map(({ toolName }) => toolName)).toEqual(['clock'])
    expect(text).toContain('2026-01-02T03:04Z')
  })

  it('tells the clock when a person wants to be asked first, and says how to try that', async () => {
    const { steps } = await run('What time is it? Ask me first.')
    expect(steps[0]?.toolCalls).toMatchObject([{ toolName: 'clock', input: { askFirst: true } }])
    const plain = await run('what time is it?')
    expect(plain.steps[0]?.toolCalls).toMatchObject([{ toolName: 'clock', input: {} }])
    expect((await run('hello')).text).toContain('"What time is it? Ask me first."')
  })

  it('asks when it is told to', async () => {
    const { steps } = await run('ask me: tea or coffee?')
    expect(steps[0]?.toolCalls).toMatchObject([
      { toolName: 'ask_question', input: { question: 'tea or coffee?' } },
    ])
  })

  it('calls no tool that it was not given', async () => {
    const { text } = await generateText({ model: offlineScripted(), prompt: 'what time is it?' })
    expect(text).toContain('No model is set up')
  })
})
