import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { streamText } from 'ai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Fetch, recordExchanges, replayExchanges } from './exchanges.ts'
import { startProviderStub } from './provider-stub.ts'
import type { ScriptEntry } from './script.ts'

const apiKey = 'sk-test-0123456789abcdef0123456789'
const answer = 'a text with a few wörds, 🎉, and an end'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-exchanges-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function pieces(fetch: Fetch, baseURL: string, prompt: string) {
  const model = createAnthropic({ baseURL, apiKey, fetch })('claude-sonnet-4-5')
  const errors: unknown[] = []
  const onError = ({ error }: { error: unknown }) => void errors.push(error)
  const { textStream } = streamText({ model, prompt, maxRetries: 0, onError })
  const texts: string[] = []
  try {
    for await (const text of textStream) texts.push(text)
  } catch (error) {
    errors.push(error)
  }
  return { texts, error: errors[0] }
}

/** Asks the stub, recording. */
async function recorded(file: string, script: ScriptEntry[], prompts: readonly string[]) {
  await using stub = await startProviderStub({ script })
  const fetch = recordExchanges({ file })
  const asked = []
  for (const prompt of prompts) asked.push(await pieces(fetch, stub.baseUrl, prompt))
  return asked
}

const nowhere = 'http://127.0.0.1:9/v1'

describe('recorded exchanges', () => {
  it('are played back piece by piece, without a network and under another address', async () => {
    const file = join(folder, 'exchanges.jsonl')
    const [live] = await recorded(file, [answer], ['hi'])
    expect(live?.texts.join('')).toBe(answer)
    const replay = await replayExchanges(file)
    expect(replay.left).toBe(1)
    expect(await pieces(replay.fetch, nowhere, 'hi')).toEqual(live)
    expect(replay.left).toBe(0)
  })

  it('answer the same request in the order in which it was answered', async () => {
    const file = join(folder, 'exchanges.jsonl')
    await recorded(file, ['one', 'two', 'three'], ['hi', 'other', 'hi'])
    const { fetch } = await replayExchanges(file)
    const texts = []
    for (const prompt of ['hi', 'hi', 'other']) {
      texts.push((await pieces(fetch, nowhere, prompt)).texts.join(''))
    }
    expect(texts).toEqual(['one', 'three', 'two'])
  })

  it('play errors and cuts back as they were', async () => {
    const file = join(folder, 'exchanges.jsonl')
    const cut = {
      parts: [{ type: 'text' as const, text: answer }],
      fault: { type: 'cut' as const, afterBytes: 700 },
    }
    const limited = { fault: { type: 'rate_limit' as const, retryAfterSecs: 3 } }
    const live = await recorded(file, [limited, cut], ['hi', 'hi'])
    const { fetch } = await replayExchanges(file)
    const [first, second] = [await pieces(fetch, nowhere, 'hi'), await pieces(fetch, nowhere, 'hi')]
    expect(first).toMatchObject({
      texts: [],
      error: { statusCode: 429, responseHeaders: { 'retry-after': '3' } },
    })
    expect(second.texts).toEqual(live[1]?.texts)
    expect(second.error).toBeDefined()
  })

  it('answer nothing that was not recorded', async () => {
    const file = join(folder, 'exchanges.jsonl')
    await recorded(file, ['one'], ['hi'])
    const { fetch } = await replayExchanges(file)
    const { error } = await pieces(fetch, nowhere, 'hello')
    expect(error).toMatchObject({ code: 'not_found' })
  })

  it('hold no key, wherever it stood', async () => {
    const file = join(folder, 'exchanges.jsonl')
    await using stub = await startProviderStub({ script: [`you told me ${apiKey}`] })
    const fetch = recordExchanges({ file, secrets: ['tea-with-milk'] })
    const openai = createOpenAI({ baseURL: stub.baseUrl, apiKey, fetch })
    const { text } = streamText({
      model: openai.chat('gpt-5-mini'),
      prompt: `my key is ${apiKey}, another is sk-${'x'.repeat(40)}, I like tea-with-milk`,
    })
    expect(await text).toContain(apiKey)
    const kept = readFileSync(file, 'utf8')
    expect(kept).toContain('[redacted]')
    for (const secret of [apiKey, 'sk-xxx', 'tea-with-milk', 'uthorization'])
      expect(kept).not.toContain(secret)
  })
})
