/** A process whose loop is recorded dies by SIGKILL: what it leaves is repaired as any worker's, and can be gone on with. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createAnthropic } from '@ai-sdk/anthropic'
import { generateText, wrapLanguageModel } from 'ai'
import { describe, expect, it } from 'vitest'
import { startProviderStub } from '../testing/provider-stub.ts'
import type { Script } from '../testing/script.ts'
import { recordTo } from './recorder.ts'
import { type KillPoint, killPoints } from './testing/kill-points.ts'
import { modelMessages, Place } from './testing/place.ts'

const script: Script = ({ results, lastUserText }) => {
  if (lastUserText === 'go on') return 'gladly'
  if (results.length > 0) return `it was ${results.map(({ output }) => output).join(' and ')}`
  return {
    parts: [
      { type: 'reasoning', text: 'I shall look at both' },
      { type: 'text', text: 'I look at a and at b, one moment.' },
      { type: 'tool_call', name: 'look', input: { at: 'a' } },
      { type: 'tool_call', name: 'look', input: { at: 'b' } },
    ],
  }
}

const slowly = () => new Promise<void>((resolve) => setTimeout(resolve, 25))

/** What is left of the run, in the words of its results. */
const left: Record<KillPoint, { ended: string; results: string[]; rows: number }> = {
  'before the first call': { ended: 'run.failed', results: [], rows: 0 },
  'in the first stream': { ended: 'run.failed', results: [], rows: 0 },
  'in a tool': { ended: 'run.failed', results: ['unknown', 'unknown'], rows: 1 },
  'between two results': { ended: 'run.failed', results: ['ok', 'unknown'], rows: 1 },
  'before the second call': { ended: 'run.failed', results: ['ok', 'ok'], rows: 1 },
  'in the second stream': { ended: 'run.failed', results: ['ok', 'ok'], rows: 1 },
  'after a whole loop': { ended: 'run.completed', results: ['ok', 'ok'], rows: 2 },
}

describe('a recorder that is killed', () => {
  it.each(killPoints)('%s', async (point) => {
    await using place = new Place()
    const pause = point.endsWith('stream') ? slowly : async () => {}
    await using stub = await startProviderStub({ script, pieceSize: 4, pause })
    await runUntilKilled(place.path, point, stub.baseUrl)
    const holdfast = await place.open(() => Date.now() + 2_000)
    await holdfast.sweep()
    const session = await holdfast.sessions.open('killed')
    if (!('startRun' in session)) throw new Error(`the session is ${session.lifecycle}`)

    const { events } = await session.events()
    const ends = events.filter(({ type }) => /^run\.(completed|failed|cancelled)$/.test(type))
    expect(ends.map(({ type }) => type)).toEqual([left[point].ended])
    expect((await session.view()).status).toBe('idle')
    const { messages } = await session.messages()
    const results = messages.flatMap(({ parts }) => parts.filter((part) => part.type === 'tool_result'))
    expect(results.map(({ outcome }) => outcome)).toEqual(left[point].results)
    expect((await holdfast.usage.list('killed')).rows).toHaveLength(left[point].rows)
    const partial = messages.find(({ finish }) => finish === 'interrupted')
    expect(partial !== undefined).toBe(point.endsWith('stream'))

    const recorder = recordTo(session)
    const anthropic = createAnthropic({ baseURL: stub.baseUrl, apiKey: 'k' })('claude-sonnet-4-5')
    const model = wrapLanguageModel({ model: anthropic, middleware: recorder.middleware })
    const history = modelMessages(await session.providerView())
    await generateText({ model, maxRetries: 0, messages: [...history, { role: 'user', content: 'go on' }] })
    expect(stub.exchanges.at(-1)).toMatchObject({ wire: 'anthropic' })
    expect(stub.exchanges.flatMap(({ refusal }) => refusal ?? [])).toEqual([])
    expect((await session.view()).run).toMatchObject({ state: 'completed' })
  })
})

it('leaves calls whose results another process may still bring: they are kept beside them', async () => {
  await using place = new Place()
  await using stub = await startProviderStub({ script })
  await runUntilKilled(place.path, 'in a tool', stub.baseUrl)
  const holdfast = await place.open(() => Date.now() + 2_000)
  const session = holdfast.sessions.at('killed')
  const [call] = (await session.messages()).messages.flatMap(({ parts }) => {
    return parts.filter((part) => part.type === 'tool_call')
  })
  await recordTo(session).result({ callId: call?.callId ?? '', output: 'late' })
  const { events } = await session.events()
  expect(events.slice(-2).map(({ type }) => type)).toEqual(['run.failed', 'note.added'])
})

async function runUntilKilled(path: string, point: KillPoint, baseUrl: string): Promise<void> {
  const program = join(import.meta.dirname, 'testing/killed-loop.ts')
  const child = spawn(process.execPath, [program, path, point, baseUrl], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const [, signal] = await once(child, 'exit')
  expect(signal ?? said).toBe('SIGKILL')
}
