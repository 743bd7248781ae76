import { tokenBudget } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { outputWithin } from '../src/budget/bound.ts'
import { defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { type Script, type Step, scripted } from './support/script.ts'

const note = defineTool({
  name: 'note',
  description: '',
  input: z.object({ n: z.number() }),
  execute: () => 'noted',
})

async function spending(spend: Record<string, number>, script: Script, options: { onLimit?: 'end' } = {}) {
  const model = scripted(script)
  const budget = tokenBudget.parse({ maxContextTokens: 8_000, spend })
  const agent = defineAgent({ id: 'a', model, tools: [note], budget, ...options })
  const process = await started(newPlace(), { agents: [agent] })
  const session = await process.agents.create({ agentId: 'a' })
  return { ...process, session, model }
}

const noting = (n: number): Step => ({
  calls: [{ name: 'note', input: { n } }],
  usage: { prompt: 400, completion: 100 },
})
const endless: Script = (_options, nth) => noting(nth)

it('no call starts that may pass the budget of tokens: the turn asks, and goes on when it is raised', async () => {
  const { session, model } = await spending({ tokens: 3_000 }, (_options, nth) => {
    return nth === 6 ? { text: 'Done.' } : noting(nth)
  })
  const result = await session.send('Go.').result
  expect(result).toMatchObject({ outcome: 'suspended', question: { options: ['raise', 'stop'] } })
  const spent = result.usage.promptTokens + result.usage.completionTokens
  expect(spent).toBeLessThanOrEqual(3_000)
  const calls = model.doStreamCalls.length
  for (const { maxOutputTokens } of model.doStreamCalls) expect(maxOutputTokens).toBeLessThanOrEqual(2_000)
  expect(model.doStreamCalls.at(-1)?.maxOutputTokens).toBeLessThan(
    model.doStreamCalls[0]?.maxOutputTokens ?? 0,
  )
  const raised = await session.answer(result.question?.questionId ?? '', 'raise').result
  expect(model.doStreamCalls.length).toBeGreaterThan(calls)
  expect(raised.outcome).toBe('completed')
  expect((await session.log.view()).budget?.spend.tokens).toBe(6_000)
})

it('a turn that is stopped at its limit has failed, with the limit as its reason', async () => {
  const { session } = await spending({ tokens: 2_000 }, endless)
  const { question } = await session.send('Go.').result
  const stopped = await session.answer(question?.questionId ?? '', 'stop').result
  expect(stopped).toMatchObject({ outcome: 'failed', error: { code: 'budget_exceeded' } })
})

it('an agent may end at a limit without a question', async () => {
  const { session } = await spending({ tokens: 2_000 }, endless, { onLimit: 'end' })
  expect(await session.send('Go.').result).toMatchObject({
    outcome: 'failed',
    error: { code: 'budget_exceeded' },
  })
})

it('tool calls beyond their budget do not run, and none of a message that is partly beyond it', async () => {
  let ran = 0
  const count = defineTool({ name: 'count', description: '', input: z.object({}), execute: () => ++ran })
  const two = [
    { id: 'x', name: 'count', input: {} },
    { id: 'y', name: 'count', input: {} },
  ]
  const agent = defineAgent({
    id: 'a',
    model: scripted(() => ({ calls: two })),
    tools: [count],
    onLimit: 'end',
  })
  const { agents } = await started(newPlace(), { agents: [agent] })
  const session = await agents.create({
    agentId: 'a',
    budget: tokenBudget.parse({ spend: { toolCalls: 3 } }),
  })
  expect(await session.send('Go.').result).toMatchObject({
    outcome: 'failed',
    error: { code: 'budget_exceeded' },
  })
  expect(ran).toBe(2)
  const { events } = await session.log.events({ limit: 200 })
  const outcomes = events.flatMap(({ type, data }) =>
    type === 'tool.finished' ? [(data as { outcome: string }).outcome] : [],
  )
  expect(outcomes).toEqual(['ok', 'ok', 'denied', 'denied'])
})

it('under a budget of money a call without a known price waits for a decision', async () => {
  const { session, model } = await spending({ costMicrocents: 1_000_000 }, [{ text: 'Hello.' }])
  const asked = await session.send('Hi.').result
  expect(asked).toMatchObject({ outcome: 'suspended', question: { options: ['continue', 'stop'] } })
  expect(model.doStreamCalls).toHaveLength(0)
  const after = await session.answer(asked.question?.questionId ?? '', 'continue').result
  expect(after).toMatchObject({ outcome: 'completed', text: 'Hello.' })
})

it('under a budget of money no second call is made once nobody knows what one cost', async () => {
  const hourly: Script = (_options, nth) => ({
    ...noting(nth),
    usage: { prompt: 400, completion: 100, hour: 400 },
  })
  const { session, model, holdfast } = await spending({ costMicrocents: 50_000_000 }, hourly, {
    onLimit: 'end',
  })
  const prices = { 'test/scripted': { prompt: 1e9, completion: 4e9, cachedWrite: 1e9 } }
  await holdfast.priceBooks.put('book', { prices })
  await holdfast.priceBooks.setCurrent('book')
  expect(await session.send('Go.').result).toMatchObject({
    outcome: 'failed',
    error: { code: 'price_unknown', message: expect.stringContaining('nobody knows what the last call') },
  })
  expect(model.doStreamCalls).toHaveLength(1)
})

it('a budget of money with a price book is held, and what was spent is what the rows say', async () => {
  const { session, holdfast } = await spending({ costMicrocents: 5_000_000 }, endless, { onLimit: 'end' })
  const prices = { 'test/scripted': { prompt: 1_000_000_000, completion: 4_000_000_000 } }
  await holdfast.priceBooks.put('book', { prices })
  await holdfast.priceBooks.setCurrent('book')
  const result = await session.send('Go.').result
  expect(result.outcome).toBe('failed')
  const view = await session.log.view()
  expect(view.counters.costMicrocents).toBeLessThanOrEqual(5_000_000)
  expect(view.counters.costMicrocents).toBe(result.usage.attempts * (400 * 1_000 + 100 * 4_000))
})

it('a turn ends its work when its time is up, and keeps what was said', async () => {
  const never = new Promise<never>(() => {})
  const { session } = await spending({ wallMs: 300 }, [{ text: 'Slowly', until: never }], { onLimit: 'end' })
  expect(await session.send('Go.').result).toMatchObject({
    outcome: 'failed',
    text: 'Slowly',
    error: { code: 'budget_exceeded' },
  })
})

it('the longest answer that fits is found, or none', () => {
  const call = { providerId: 'p', model: 'm', promptTokens: 100, maxOutputTokens: 1_000 }
  expect(outputWithin(call, { tokens: 600 }, undefined, '2026-01-01T00:00:00Z')).toBe(500)
  expect(outputWithin(call, { tokens: 99 }, undefined, '2026-01-01T00:00:00Z')).toBeUndefined()
  expect(outputWithin(call, {}, undefined, '2026-01-01T00:00:00Z')).toBe(1_000)
  const within = (prices: object) => {
    const book = { prices: { 'p/m': { prompt: 1e6, completion: 1e6, cachedWrite: 2e6, ...prices } } }
    return outputWithin(
      { ...call, providerId: 'p', model: 'm' },
      { costMicrocents: 500 },
      book,
      '2026-01-01T00:00:00Z',
    )
  }
  expect(within({})).toBe(300)
  expect(within({ cachedWriteHour: 3e6 })).toBe(200)
})
