import { tokenBudget } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { defineAgent, defineTool } from '../src/index.ts'
import { promptFaults } from './support/pairing.ts'
import { newPlace, started } from './support/place.ts'
import { type Script, scripted } from './support/script.ts'

const budget = tokenBudget.parse({ maxContextTokens: 6_000, maxOutputTokens: 500, workingReserveTokens: 0 })
const words = (n: number) => 'the quick brown fox jumps over a lazy dog '.repeat(n)

/** A model that summarises when asked to, and else does what the script says; it refuses what a provider would. */
async function longTalk(
  script: Script,
  summary: () => string | Promise<string>,
  options: { window?: number; compressionInstructions?: string } = {},
) {
  const prompts: string[] = []
  const faults: string[] = []
  let nth = 0
  const model = scripted(async (call) => {
    const system = call.prompt[0]?.role === 'system' ? call.prompt[0].content : ''
    if (system.startsWith('You summarise'))
      return { text: await summary(), usage: { prompt: 100, completion: 10 } }
    prompts.push(JSON.stringify(call.prompt))
    faults.push(...promptFaults(call.prompt))
    return typeof script === 'function' ? script(call, nth++) : { text: '' }
  })
  const big = defineTool({
    name: 'big',
    description: '',
    input: z.object({ n: z.number() }),
    execute: () => words(200),
  })
  const agent = defineAgent({
    id: 'a',
    model,
    tools: [big],
    budget: { ...budget, maxContextTokens: options.window ?? 6_000 },
    maxRounds: 100,
    ...(options.compressionInstructions && { compressionInstructions: options.compressionInstructions }),
  })
  const process = await started(newPlace(), { agents: [agent] })
  const session = await process.agents.create({ agentId: 'a' })
  return { ...process, session, prompts, faults, model }
}

async function typesIn(session: {
  log: { events(o: object): Promise<{ events: { type: string; data: unknown }[] }> }
}) {
  return (await session.log.events({ limit: 1_000 })).events
}

it('a talk longer than the window goes on, each context within it, and everything said can still be read', async () => {
  const { session, prompts, faults } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}. ${words(60)}`, usage: 'none' }),
    () => 'They counted to some number.',
  )
  await session.log.append({
    role: 'user',
    parts: [{ type: 'text', text: 'PINNED: the code is 42.' }],
    neverCompress: true,
  })
  for (let n = 0; n < 14; n++) {
    const { outcome } = await session.send(`Question ${n}. ${words(20)}`).result
    expect(outcome).toBe('completed')
  }
  expect(faults).toEqual([])
  for (const prompt of prompts) expect(prompt).toContain('PINNED: the code is 42.')
  expect(prompts.at(-1)).toContain('They counted to some number.')
  expect(prompts.at(-1)).not.toContain('Question 2.')
  const events = await typesIn(session)
  expect(events.filter(({ type }) => type === 'compaction.applied').length).toBeGreaterThan(1)
  for (const { type, data } of events) {
    if (type !== 'context.measured') continue
    expect((data as { totalTokens: number }).totalTokens).toBeLessThanOrEqual(5_440)
  }
  const { messages } = await session.log.messages({ limit: 100 })
  expect(JSON.stringify(messages)).toContain('Question 2.')
  const summaries = (await session.log.contextState()).overlays
  expect(summaries).toHaveLength(1)
})

it('one turn of many rounds stays within the window', async () => {
  const { session, faults } = await longTalk(
    (_call, n) => (n < 25 ? { calls: [{ name: 'big', input: { n } }], usage: 'none' } : { text: 'Done.' }),
    () => 'The big tool ran, again and again.',
    { window: 10_000 },
  )
  expect((await session.send('Go.').result).text).toBe('Done.')
  expect(faults).toEqual([])
})

it.each([
  ['blank', () => '  '],
  ['longer than what it stands for', () => words(4_000)],
  [
    'an error',
    () => {
      throw new Error('no summary')
    },
  ],
])('a summary that is %s never holds, and the talk goes on without a model', async (_what, summary) => {
  const { session, faults, prompts } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}. ${words(60)}`, usage: 'none' }),
    summary,
  )
  for (let n = 0; n < 12; n++)
    expect((await session.send(`Question ${n}. ${words(20)}`).result).outcome).toBe('completed')
  expect(faults).toEqual([])
  expect(prompts.at(-1)).toContain('left out here without a summary')
  const events = await typesIn(session)
  expect(events.some(({ type }) => type === 'compaction.failed')).toBe(true)
  const applied = events
    .filter(({ type }) => type === 'compaction.applied')
    .map(({ data }) => (data as { trigger: string }).trigger)
  expect(new Set(applied)).toEqual(new Set(['model_free']))
})

it('what may not be left out and does not fit ends the turn with the sizes, before a model is asked', async () => {
  const { session, model } = await longTalk(
    () => ({ text: 'no' }),
    () => 'short',
  )
  const result = await session.send(words(1_000)).result
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'context_unreducible' } })
  expect(model.doStreamCalls).toHaveLength(0)
})

it('old tool outputs are shown shortened before anything is summarised; the last two turns stay whole', async () => {
  const { session, prompts, faults } = await longTalk(
    (_call, n) =>
      n % 2 === 0
        ? { calls: [{ name: 'big', input: { n } }], usage: 'none' }
        : { text: 'Done.', usage: 'none' },
    () => 'Never asked for.',
    { window: 10_000 },
  )
  for (let n = 0; n < 5; n++) await session.send(`Question ${n}.`).result
  expect(faults).toEqual([])
  const events = await typesIn(session)
  const types = events.map(({ type }) => type)
  expect(types).toContain('context.trimmed')
  expect(types).not.toContain('compaction.applied')
  const shortened = (text = '') => text.split('bytes omitted').length - 1
  expect(shortened(prompts.at(-1))).toBeGreaterThan(0)
  expect(shortened(prompts.at(-1))).toBeLessThanOrEqual(3)
  const outputs = events.filter(({ type }) => type === 'tool.finished').map(({ data }) => data)
  for (const output of outputs) expect(output).toMatchObject({ output: words(200) })
  const after = types.indexOf('context.measured', types.indexOf('context.trimmed'))
  expect(events[after]?.data).toMatchObject({ cacheBreak: { kind: 'messages', change: 'changed' } })
})

it.each([
  ['of the last round', 4, 1],
  ['of the last two rounds', 2, 2],
])(
  'outputs %s that leave no room are shown shortened, the oldest first, and the turn goes on',
  async (_what, calls, rounds) => {
    const { session, prompts, faults } = await longTalk(
      (_call, n) =>
        n < rounds
          ? { calls: Array.from({ length: calls }, (_, n) => ({ name: 'big', input: { n } })), usage: 'none' }
          : { text: 'Done.', usage: 'none' },
      () => 'Never asked for.',
    )
    expect(await session.send('Go.').result).toMatchObject({ outcome: 'completed', text: 'Done.' })
    expect(faults).toEqual([])
    // As many as must be: what the model has not read yet is cut last.
    expect(prompts.at(-1)?.match(/bytes omitted/g)).toHaveLength(2)
    expect(prompts.at(-1)?.lastIndexOf('bytes omitted')).toBeLessThan(
      prompts.at(-1)?.lastIndexOf(words(200)) ?? 0,
    )
    const outputs = (await typesIn(session)).filter(({ type }) => type === 'tool.finished')
    for (const { data } of outputs) expect(data).toMatchObject({ output: words(200) })
  },
)

it('nothing is shown shortened where that would not be enough, nor where somebody only asks for a summary', async () => {
  const { session, prompts } = await longTalk(
    (_call, n) =>
      n === 0
        ? { calls: [{ name: 'big', input: { n } }], usage: { prompt: 5_600, completion: 5 } }
        : { text: '' },
    () => 'Never asked for.',
  )
  await session.log.append({ role: 'user', parts: [{ type: 'text', text: words(500) }], neverCompress: true })
  expect(await session.send('Go.').result).toMatchObject({ error: { code: 'context_unreducible' } })
  expect(await session.compact()).toBe(false)
  expect(prompts).toHaveLength(1)
  expect((await typesIn(session)).map(({ type }) => type)).not.toContain('context.trimmed')
})

it('a compaction that somebody asks for follows their words for once', async () => {
  const { session, model, holdfast } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    () => 'Short.',
    { window: 100_000 },
  )
  expect(await session.compact()).toBe(false)
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words(10)}`).result
  expect(await session.compact({ instructions: 'Keep the numbers.' })).toBe(true)
  expect(JSON.stringify(model.doStreamCalls.at(-1)?.prompt[0])).toContain('Keep the numbers.')
  const stored = JSON.stringify(await typesIn(session))
  expect(stored).not.toContain('Keep the numbers.')
  expect((await session.log.view()).summary?.text).toBe('Short.')
  const { rows } = await holdfast.usage.list(session.id)
  expect(rows.at(-1)).toMatchObject({ purpose: 'compaction', status: 'ok' })
})

const spends = [
  [{ tokens: 1 }, 'budget_exceeded'],
  [{ costMicrocents: 1_000_000 }, 'price_unknown'],
] as const

it.each(spends)('a compaction that the budget %j does not allow is not made: %s', async (spend, code) => {
  const { session, model, holdfast } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    () => 'Short.',
    { window: 100_000 },
  )
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words(10)}`).result
  const budget = (await session.log.view()).budget ?? {}
  const calls = model.doStreamCalls.length
  await session.log.setBudget({ ...budget, spend })
  await expect(session.compact()).rejects.toMatchObject({ code })
  expect(model.doStreamCalls).toHaveLength(calls)
  expect(await holdfast.usage.list(session.id)).toMatchObject({ rows: Array(6).fill({ purpose: 'turn' }) })
  await session.log.setBudget({ ...budget, spend: { tokens: 100_000 } })
  expect(await session.compact()).toBe(true)
  const reserved = (await typesIn(session)).filter(({ type }) => type.startsWith('budget.r'))
  expect(reserved).toHaveLength(1)
  expect((await typesIn(session)).filter(({ type }) => type === 'budget.settled')).toHaveLength(1)
})

it('of two compactions at once the second has what the first left, which is nothing', async () => {
  const { session } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    () => 'Short.',
    { window: 100_000 },
  )
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words(10)}`).result
  const { budget = {}, counters } = await session.log.view()
  const spent = counters.promptTokens + counters.completionTokens
  // Less than the longest summary: the first call may have all of it.
  await session.log.setBudget({ ...budget, spend: { tokens: spent + 3_000 } })
  const both = await Promise.allSettled([session.compact(), session.compact()])
  expect(both).toMatchObject([
    { status: 'fulfilled', value: true },
    { status: 'rejected', reason: { code: 'budget_exceeded' } },
  ])
})

it('what a compaction used is told also when a turn began and ended meanwhile, and nothing stays reserved', async () => {
  let meanwhile = async (): Promise<void> => {}
  const { session, holdfast } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    async () => {
      await meanwhile()
      return 'Short.'
    },
    { window: 100_000 },
  )
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words(10)}`).result
  const { budget = {} } = await session.log.view()
  await session.log.setBudget({ ...budget, spend: { tokens: 100_000 } })
  meanwhile = async () => void (await session.send('And now?').result)
  await session.compact()
  const { rows } = await holdfast.usage.list(session.id)
  expect(rows.filter(({ purpose }) => purpose === 'compaction')).toHaveLength(1)
  const types = (await typesIn(session)).map(({ type }) => type)
  const count = (wanted: string) => types.filter((type) => type === wanted).length
  expect(count('budget.settled')).toBe(count('budget.reserved'))
})

it('a summary is measured by what it stands for: what is never left out stands beside it', async () => {
  const { session } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    () => words(30),
    { window: 100_000 },
  )
  await session.log.append({
    role: 'user',
    parts: [{ type: 'text', text: words(200) }],
    neverCompress: true,
  })
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}.`).result
  expect(await session.compact()).toBe(false)
  const failed = (await typesIn(session)).find(({ type }) => type === 'compaction.failed')
  expect(failed?.data).toMatchObject({ reason: 'the summary is no shorter than what it covers' })
})

it.each<[{ asked?: string; session?: string; agent: string }, string]>([
  [{ asked: 'ASKED', session: 'SESSION', agent: 'AGENT' }, 'ASKED'],
  [{ session: 'SESSION', agent: 'AGENT' }, 'SESSION'],
  [{ agent: 'AGENT' }, 'AGENT'],
])('of the instructions %j a summary follows %s', async ({ asked, session: ofSession, agent }, followed) => {
  const { session, model } = await longTalk(
    (_call, n) => ({ text: `Answer ${n}.` }),
    () => 'Short.',
    { window: 100_000, compressionInstructions: agent },
  )
  if (ofSession) await session.log.setInstructions(ofSession)
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words(10)}`).result
  expect(await session.compact(asked === undefined ? {} : { instructions: asked })).toBe(true)
  const system = model.doStreamCalls.at(-1)?.prompt[0]?.content
  expect(['ASKED', 'SESSION', 'AGENT'].filter((text) => String(system).includes(text))).toEqual([followed])
})
