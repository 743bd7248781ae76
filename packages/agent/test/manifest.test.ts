/** What a call was sent, block by block, and where that broke the provider's cache. */
import type { EventData, PromptBlock, PromptManifest } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { breakOf } from '../src/context/cache-break.ts'
import { hashOf, type Mark, manifestOf, modelBlock, systemBlocks } from '../src/context/manifest.ts'
import { type AgentInput, type AgentSession, defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const count = (text: string) => text.length

interface Said {
  tools?: string[]
  sections?: string[]
  model?: string
  messages?: string[]
}

/** Each message has as many bytes and tokens as letters; one that begins with `summary` is one. */
function sent({ tools = [], sections = ['S'], model = 'm', messages = ['a', 'b'] }: Said) {
  const marks: Mark[] = []
  for (const text of messages) {
    const before = marks.at(-1)
    marks.push({
      hash: hashOf(`${before?.hash} ${text}`),
      bytes: (before?.bytes ?? 0) + text.length,
      tokens: (before?.tokens ?? 0) + text.length,
      ...(before?.lastSummary !== undefined && { lastSummary: before.lastSummary }),
      ...(text.startsWith('summary') && { compactionId: text, lastSummary: marks.length }),
    })
  }
  const named = sections.map((text) => ({ name: text.slice(0, 1), text }))
  const before = [modelBlock({ provider: 'p', modelId: model }), ...systemBlocks(tools, named, count)]
  return { manifest: manifestOf(before, marks), marks }
}

const broken = (before: Said, now: Said) => breakOf(sent(before).manifest, sent(now))
const many = (n: number) => Array.from({ length: n }, (_, i) => `m${i}`)

describe('the blocks of a call', () => {
  it('stand in the order in which providers cache them, and add up', () => {
    const { manifest } = sent({ tools: ['t'], sections: ['A', 'B'], messages: ['one', 'summary', 'two'] })
    expect(manifest.blocks.map(({ kind, name }) => [kind, name])).toEqual([
      ['model', 'p/m'],
      ['tools', undefined],
      ['section', 'A'],
      ['section', 'B'],
      ['messages', undefined],
      ['summary', 'summary'],
      ['messages', undefined],
    ])
    expect(manifest).toMatchObject({ bytes: 20, tokens: 20 })
  })

  it.each([1, 7, 100, 5_000])('of %i messages are few, and every message is in one', (n) => {
    const { blocks } = sent({ messages: many(n) }).manifest
    expect(blocks.length).toBeLessThan(4 + 3 * Math.log2(n + 1))
    expect(blocks.reduce((sum, { messages = 0 }) => sum + messages, 0)).toBe(n)
    expect(blocks.at(-1)?.messages).toBe(1)
  })

  it('tell the place of a message the better the newer it is: within half of what follows', () => {
    let start = 0
    for (const { messages = 0 } of sent({ messages: many(5_000) }).manifest.blocks) {
      expect(messages).toBeLessThanOrEqual(Math.max(1, (5_000 - start) / 2))
      start += messages
    }
    expect(start).toBe(5_000)
  })

  it.each([
    [9, [0, 5]],
    [40, [0, 1, 17]],
    [257, [3, 100, 101]],
    [300, []],
  ])('of %i messages end where the rule says, and beside summaries', (n, summaries) => {
    const messages = many(n).map((text, i) => (summaries.includes(i) ? `summary${i}` : text))
    const ends = Array.from({ length: n }, (_, i) => i + 1).filter((end) => {
      const isBeside = summaries.includes(end - 1) || summaries.includes(end)
      return isBeside || n - end < 4 * (end & -end)
    })
    let through = 0
    const told = sent({ messages }).manifest.blocks.flatMap(({ messages: held }) => {
      through += held ?? 0
      return held === undefined ? [] : [through]
    })
    expect(told).toEqual(ends)
  })

  it('of a call stand in every longer one', () => {
    for (let n = 1; n < 130; n++)
      for (const more of [0, 1, 2, 3, 17, 64])
        expect(broken({ messages: many(n) }, { messages: many(n + more) })).toBeUndefined()
  })
})

describe('a break of the cache', () => {
  it.each<[string, Said, Said, object]>([
    ['another model', {}, { model: 'n' }, { kind: 'model', name: 'p/n', change: 'changed', fromByte: 0 }],
    [
      'a changed section',
      { sections: ['A', 'B1', 'C'] },
      { sections: ['A', 'B23', 'C'] },
      {
        kind: 'section',
        name: 'B',
        change: 'changed',
        fromByte: 1,
        toByte: 3,
        fromToken: 1,
        rereadTokens: 5,
      },
    ],
    [
      'a section that is new',
      { sections: ['A', 'C'] },
      { sections: ['A', 'B', 'C'] },
      { kind: 'section', name: 'B', change: 'added', fromByte: 1, toByte: 1, rereadTokens: 3 },
    ],
    [
      'a section that is gone',
      { sections: ['A', 'B', 'C'] },
      { sections: ['A', 'C'] },
      { kind: 'section', name: 'B', change: 'removed', fromByte: 1, toByte: 2 },
    ],
    [
      'sections in another order',
      { sections: ['A', 'B'] },
      { sections: ['B', 'A'] },
      { kind: 'section', name: 'A', change: 'moved', fromByte: 0, toByte: 1 },
    ],
    [
      'changed tools',
      { tools: ['t'] },
      { tools: ['u'] },
      { kind: 'tools', change: 'changed', fromByte: 0, toByte: 5 },
    ],
    ['first tools', {}, { tools: ['u'] }, { kind: 'tools', change: 'added', fromByte: 0, toByte: 0 }],
    [
      'a summary',
      { messages: ['aaaa', 'bbbb', 'c'] },
      { messages: ['summary1', 'c'] },
      { kind: 'summary', name: 'summary1', change: 'added', fromByte: 1, toByte: 5, rereadTokens: 9 },
    ],
    [
      'a changed message',
      { messages: ['a', 'b', 'c'] },
      { messages: ['a', 'x', 'c', 'd'] },
      { kind: 'messages', change: 'changed', fromByte: 2, toByte: 3, rereadTokens: 2 },
    ],
    [
      'messages that are gone',
      { messages: ['a', 'b', 'c'] },
      { messages: ['a', 'b'] },
      { kind: 'messages', change: 'removed', fromByte: 3, toByte: 4, rereadTokens: 0 },
    ],
  ])('is said of %s', (_what, before, now, expected) => expect(broken(before, now)).toMatchObject(expected))
})

type Measured = EventData<'context.measured'>

async function measured({ log }: AgentSession): Promise<Measured[]> {
  const { events } = await log.events({ limit: 1_000 })
  return events.filter(({ type }) => type === 'context.measured').map(({ data }) => data as Measured)
}

const look = defineTool({
  name: 'look',
  description: 'Looks',
  input: z.object({}),
  execute: () => 'seen',
})

async function sessionOf(input: Partial<AgentInput>, path = newPlace()) {
  const agent = defineAgent({
    id: 'a',
    instructions: 'Be brief.',
    model: scripted((_call, n) => ({ text: `Answer ${n}.`, usage: 'none' })),
    ...input,
  })
  const process = await started(path, { agents: [agent], pollMs: 0 })
  return { ...process, path, create: () => process.agents.create({ agentId: 'a' }) }
}

const shown = ({ blocks }: PromptManifest) => blocks.map(({ kind, name }: PromptBlock) => name ?? kind)

describe('in the log', () => {
  it('each call has its blocks, the last of them can be asked for, and a conversation that goes on breaks nothing', async () => {
    const calls = [{ name: 'look', input: {} }]
    const { create } = await sessionOf({
      tools: [look],
      model: scripted([
        { calls, usage: 'none' },
        { text: 'Seen.', usage: 'none' },
        { text: 'Bye.', usage: 'none' },
      ]),
    })
    const session = await create()
    expect(await session.lastCall()).toEqual({})
    await session.send('Look.').result
    await session.send('Thanks.').result
    const all = await measured(session)
    expect(all.map(({ cacheBreak }) => cacheBreak)).toEqual([undefined, undefined, undefined])
    expect(all.map(({ manifest }) => shown(manifest as PromptManifest))).toEqual([
      ['test/scripted', 'tools', 'instructions', 'messages'],
      ['test/scripted', 'tools', 'instructions', 'messages', 'messages', 'messages'],
      ['test/scripted', 'tools', 'instructions', 'messages', 'messages', 'messages', 'messages'],
    ])
    expect((await session.lastCall()).manifest).toEqual(all.at(-1)?.manifest)
  })

  it('a changed system prompt is told with what it cost, in a process that never saw the call before', async () => {
    const { create, path, end, holdfast } = await sessionOf({})
    await holdfast.priceBooks.put('book', {
      prices: { 'test/scripted': { prompt: 4_000_000, completion: 0, cachedRead: 1_000_000 } },
    })
    await holdfast.priceBooks.setCurrent('book')
    const session = await create()
    await session.send('Hello.').result
    await end()
    const other = await sessionOf({ instructions: 'Be long.' }, path)
    const again = other.agents.at(session.id)
    await again.send('Hello again.').result
    const [first, second] = await measured(again)
    const sizes = first?.manifest?.blocks.find(({ kind }) => kind === 'section')
    expect(second?.cacheBreak).toEqual({
      kind: 'section',
      name: 'instructions',
      change: 'changed',
      fromByte: 0,
      toByte: sizes?.bytes,
      fromToken: 0,
      rereadTokens: first?.manifest?.tokens,
      costMicrocents: (first?.manifest?.tokens ?? 0) * 3,
    })
  })

  it('what a break cost is left out where the price is not known', async () => {
    const { create } = await sessionOf({})
    const session = await create()
    await session.send('One.').result
    await session.send('Two.').result
    await session.log.truncate((await session.log.messages()).messages[1]?.seq ?? 0)
    await session.send('Three.').result
    expect((await measured(session)).at(-1)?.cacheBreak).toMatchObject({
      kind: 'messages',
      change: 'changed',
    })
    expect((await measured(session)).at(-1)?.cacheBreak).not.toHaveProperty('costMicrocents')
  })

  it('clearing drops the figures of the last call and keeps what it was sent, so that what it broke can be told', async () => {
    const { create } = await sessionOf({})
    const session = await create()
    await session.send('One.').result
    const { manifest } = await session.lastCall()
    await session.log.clearContext()
    expect(await session.lastCall()).toEqual({ manifest })
  })
})
