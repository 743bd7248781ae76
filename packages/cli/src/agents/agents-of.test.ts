import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { defineAgent, withAgents } from '@holdfast/agent'
import {
  offlineModelId,
  offlineScripted,
  type ProviderStub,
  startProviderStub,
} from '@holdfast/agent/testing'
import { defineConfig } from '@holdfast/cli'
import { openHoldfast } from '@holdfast/core'
import { memory } from '@holdfast/core/memory'
import { waitForUpdate } from '@pydantic/genai-prices'
import { describe, expect, onTestFinished, test } from 'vitest'
import { agentsOf } from './agents-of.ts'
import { clockTool } from './clock-tool.ts'
import { defaultAgent } from './default-agent.ts'
import { findModel, providers } from './find-model.ts'
import { modelName } from './model-name.ts'

const now = () => Date.parse('2026-11-21T12:00:00Z')
const path = '/project/holdfast.config.ts'
const model = offlineScripted()

function configured(given: unknown) {
  return agentsOf({ env: {}, now }, { agents: { path, given } })
}

describe('configured agents', () => {
  const support = defineAgent({ id: 'support', model })
  const sales = defineAgent({ id: 'sales', model: 'openai/gpt-6-sol' })

  test('are given with their models and their file', async () => {
    const { agents } = defineConfig({ agents: [support, sales] })
    expect(await configured(agents)).toEqual({
      agents: [support, sales],
      model: 'offline-scripted, openai/gpt-6-sol',
      from: path,
    })
  })

  test('may be made when they are needed', async () => {
    const { agents } = defineConfig({ agents: async () => [support] })
    expect((await configured(agents)).agents).toEqual([support])
  })

  test.each([
    ['no list', {}, 'agents: expected a list.'],
    [
      'no agent',
      [support, { id: 'sales', model }],
      'agents[1] is no agent: defineAgent of @holdfast/agent makes one.',
    ],
    ['nothing', [null], 'agents[0] is no agent'],
    [
      'an id twice',
      [support, defineAgent({ id: 'support', model })],
      'agents: two of them have the id support.',
    ],
    [
      'what cannot be made',
      () => [defineAgent({ id: 'none', model: [] })],
      'agents: agent none has no model.',
    ],
  ])('%s is an error with the path of the file', async (_what, given, message) => {
    await expect(configured(given)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(`${path}: ${message}`),
    })
  })
})

describe('without configuration', () => {
  test('there is one agent with a clock and a question', async () => {
    const env = { HOLDFAST_MODEL: offlineModelId }
    const { agents, model, from } = await agentsOf({ env, now }, { agents: undefined })
    expect(agents.map(({ id, tools }) => [id, [...tools.keys()]])).toEqual([
      ['default', ['clock', 'ask_question']],
    ])
    expect({ model, from }).toEqual({ model: 'offline-scripted', from: 'HOLDFAST_MODEL' })
  })

  test('the clock tells the time of a zone, and asks first only where that was asked for', async () => {
    const { approval, execute, input } = clockTool(now)
    const context = undefined as never
    expect(execute({ timeZone: 'Asia/Tokyo' }, context)).toBe('Saturday, 21 November 2026 at 21:00:00 GMT+9')
    expect(() => execute({ timeZone: 'Nowhere/Else' }, context)).toThrow('Nowhere/Else')
    const asks = approval as (input: unknown) => boolean
    expect([asks({ askFirst: true }), asks({ askFirst: false }), asks({})]).toEqual([true, false, false])
    expect(input.check({ askFirst: 'yes' }).ok).toBe(false)
    expect(input.json).toMatchObject({
      properties: { askFirst: { description: 'true when the person wants to be asked before' } },
    })
  })
})

describe('the model of the default agent', () => {
  const found = async (env: Record<string, string>, url?: string) => {
    const { model, from } = await findModel(env, url === undefined ? [] : [{ name: 'ollama', url }])
    return [modelName(model), from]
  }
  const both = { ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o' }

  test('is of the provider whose key is there, with models that have a price', async () => {
    expect(await found(both)).toEqual(['anthropic/claude-sonnet-5', 'ANTHROPIC_API_KEY'])
    expect(await found({ OPENAI_API_KEY: 'o' })).toEqual(['openai/gpt-6-sol', 'OPENAI_API_KEY'])
    const priced = (await waitForUpdate()) ?? []
    for (const { name, usual } of providers) {
      expect(priced.find(({ id }) => id === name)?.models.map(({ id }) => id)).toContain(usual)
    }
  })

  test('is the one that HOLDFAST_MODEL names', async () => {
    const named = (HOLDFAST_MODEL: string, env: Record<string, string> = both) =>
      found({ ...env, HOLDFAST_MODEL })
    expect(await named('openai/gpt-6-luna')).toEqual(['openai/gpt-6-luna', 'OPENAI_API_KEY'])
    expect(await named('anthropic/claude-opus-5-5')).toEqual([
      'anthropic/claude-opus-5-5',
      'ANTHROPIC_API_KEY',
    ])
    expect(await named('claude-haiku-4-5')).toEqual(['anthropic/claude-haiku-4-5', 'ANTHROPIC_API_KEY'])
    expect(await named(offlineModelId)).toEqual([offlineModelId, 'HOLDFAST_MODEL'])
    await expect(named('openai/gpt-6-luna', { ANTHROPIC_API_KEY: 'a' })).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'HOLDFAST_MODEL is openai/gpt-6-luna, and there is no OPENAI_API_KEY.',
    })
    await expect(named('llama', {})).rejects.toThrow('there is no key of a provider, and no server')
  })

  test('is that of a server on this machine', async () => {
    const url = await localServer(['nomic-embed-text', 'qwen3', 'openai/gpt-oss-20b'])
    expect(await found({}, url)).toEqual(['ollama/qwen3', url])
    expect(await found({ HOLDFAST_MODEL: 'openai/gpt-oss-20b' }, url)).toEqual([
      'ollama/openai/gpt-oss-20b',
      url,
    ])
    await expect(found({ HOLDFAST_MODEL: 'llama' }, url)).rejects.toThrow(
      'HOLDFAST_MODEL is llama, and the server on this machine has qwen3, openai/gpt-oss-20b.',
    )
    expect((await found(both, url))[1]).toBe('ANTHROPIC_API_KEY')
  })

  test('is a script that says so, where there is nothing else or something else listens', async () => {
    const script = [offlineModelId, 'there is no key and no server on this machine']
    expect(await found({})).toEqual(script)
    expect(await found({}, 'http://127.0.0.1:1')).toEqual(script)
    expect(await found({}, await localServer([]))).toEqual(script)
  })

  test.each(['anthropic', 'openai', 'ollama'])('answers over %s with a real tool call', async (name) => {
    await using stub = await startProviderStub({
      script: ({ results }) =>
        results.length > 0 ? 'It is noon.' : { parts: [{ type: 'tool_call', name: 'clock', input: {} }] },
    })
    const key = name.toUpperCase()
    const { model } =
      name === 'ollama'
        ? await findModel({}, [{ name, url: await localServer(['qwen3'], stub) }])
        : await findModel({ [`${key}_API_KEY`]: 'k', [`${key}_BASE_URL`]: stub.baseUrl }, [])
    await using holdfast = await openHoldfast({ store: memory() })
    const agents = withAgents(holdfast, { agents: [defaultAgent(model, now)], pollMs: 0 })
    const session = await agents.create({ agentId: 'default' })
    expect(await session.send('What time is it?').result).toMatchObject({
      outcome: 'completed',
      text: 'It is noon.',
    })
    expect(JSON.stringify(stub.exchanges.at(-1)?.body)).toContain('21 November 2026 at 12:00:00 UTC')
    await agents.close()
  })
})

/** It has these models, and answers as the stub does. */
async function localServer(models: readonly string[], stub?: ProviderStub): Promise<string> {
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/models' && models.length > 0) {
      response.end(JSON.stringify({ data: models.map((id) => ({ id })) }))
    } else if (stub && request.url === '/v1/chat/completions') await passOn(request, response, stub)
    else response.writeHead(404).end('not this')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Servers on this machine ask for no key; the stub does. */
async function passOn(request: IncomingMessage, response: ServerResponse, { baseUrl }: ProviderStub) {
  const body = await textOf(request)
  const headers = { 'content-type': 'application/json', authorization: 'Bearer k' }
  const answer = await fetch(`${baseUrl}/chat/completions`, { method: 'POST', headers, body })
  response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
  response.end(await answer.text())
}
