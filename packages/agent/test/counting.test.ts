/** How large the next call is: by what the provider counted of the last one, and an estimate of what was added since. */
import type { EventData } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { loadCounter } from '../src/context/count.ts'
import { type AgentInput, type AgentSession, defineAgent } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { type Step, scripted } from './support/script.ts'

type Measured = EventData<'context.measured'>

async function measured({ log }: AgentSession): Promise<Measured[]> {
  const { events } = await log.events({ limit: 1_000 })
  return events.filter(({ type }) => type === 'context.measured').map(({ data }) => data as Measured)
}

/** A turn for each step; the messages are of the same size. */
async function talk(steps: readonly Step[], input: Partial<AgentInput> = {}, path = newPlace()) {
  const agent = defineAgent({ id: 'a', model: scripted(steps), maxAttempts: 1, ...input })
  const process = await started(path, { agents: [agent], pollMs: 0 })
  const session = await process.agents.create({ agentId: 'a' })
  for (const _step of steps) await session.send('Count me.').result
  return { ...process, path, session }
}

const silent = { text: 'Yes.', usage: 'none' } as const
const counted = (prompt: number) => ({ text: 'Yes.', usage: { prompt, completion: 1 } })
const estimate = ({ manifest }: Measured) => manifest?.tokens ?? 0

it('without a count of the provider it is our estimate', async () => {
  const { session } = await talk([silent, silent])
  for (const one of await measured(session))
    expect(one).toMatchObject({ totalTokens: estimate(one), countedBy: 'estimate' })
})

it('what the provider counted goes first, and what was added since is estimated', async () => {
  const { session } = await talk([counted(1_000), silent, silent])
  const [first, second, third] = (await measured(session)) as [Measured, Measured, Measured]
  expect(first).toMatchObject({ totalTokens: 1_000, countedBy: 'provider' })
  expect(second).toMatchObject({
    totalTokens: 1_000 + estimate(second) - estimate(first),
    countedBy: 'estimate',
  })
  expect(third.totalTokens).toBe(1_000 + estimate(third) - estimate(first))
  expect((await session.log.view()).contextUsage?.totalTokens).toBe(third.totalTokens)
})

it('another process knows the count without reading the history', async () => {
  const { session, path, end } = await talk([counted(1_000)])
  await end()
  const agent = defineAgent({ id: 'a', model: scripted([silent]) })
  const { agents } = await started(path, { agents: [agent], pollMs: 0 })
  const again = agents.at(session.id)
  await again.send('Count me.').result
  const [first, second] = (await measured(again)) as [Measured, Measured]
  expect(second.totalTokens).toBe(1_000 + estimate(second) - estimate(first))
})

const changed = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'Count others.' }] }

it.each<[string, (session: AgentSession) => Promise<unknown>]>([
  ['an edit', async ({ log }) => log.edit((await log.messages()).messages[0]?.id ?? '', changed)],
  ['a truncation', async ({ log }) => log.truncate((await log.messages()).messages[0]?.seq ?? 0)],
])('after %s it is our estimate alone', async (_what, change) => {
  const { session, path, end } = await talk([counted(1_000), counted(1_010)])
  await change(session)
  await end()
  const agent = defineAgent({ id: 'a', model: scripted([silent]) })
  const { agents } = await started(path, { agents: [agent], pollMs: 0 })
  await agents.at(session.id).send('Count me.').result
  const last = (await measured(agents.at(session.id))).at(-1) as Measured
  expect(last.totalTokens).toBe(estimate(last))
})

it('what another model counted is no count of this one', async () => {
  const models = [scripted([counted(1_000), { error: new Error('away') }], 'one'), scripted([silent], 'two')]
  const agent = defineAgent({ id: 'a', model: models, maxAttempts: 1 })
  const { agents } = await started(newPlace(), { agents: [agent], pollMs: 0 })
  const session = await agents.create({ agentId: 'a' })
  await session.send('Count me.').result
  await session.send('Count me.').result
  const [first, second, third] = (await measured(session)) as [Measured, Measured, Measured]
  expect(second.totalTokens).toBe(1_000 + estimate(second) - estimate(first))
  expect(third).toMatchObject({
    totalTokens: estimate(third),
    cacheBreak: { kind: 'model', name: 'test/two', change: 'changed', fromByte: 0 },
  })
})

it('a count far below our estimate is not believed: a server told only what its cache did not hold', async () => {
  const { session } = await talk([{ text: 'Yes.', usage: { prompt: 2, completion: 1 } }])
  const [only] = (await measured(session)) as [Measured]
  expect(only).toMatchObject({ totalTokens: estimate(only), countedBy: 'estimate' })
  expect(only.totalTokens).toBeGreaterThan(4)
})

it('under a budget it is said before the call, and again when the provider counted', async () => {
  const { session } = await talk([counted(1_000)], { budget: { spend: { tokens: 100_000 } } })
  expect(await measured(session)).toMatchObject([
    { countedBy: 'estimate' },
    { countedBy: 'provider', totalTokens: 1_000 },
  ])
})

it('what the provider counted decides whether the context is compacted', async () => {
  const { session } = await talk([counted(120_000), silent])
  const { events } = await session.log.events({ limit: 1_000 })
  expect(events.find(({ type }) => type === 'context.pressure')?.data).toMatchObject({ level: 'critical' })
  const run = (await session.log.view()).run
  expect(run).toMatchObject({
    state: 'failed',
    error: expect.stringContaining('what must stay in the context'),
  })
})

it('our estimate takes no longer for a text that tokenizers are slow on: it looks at a sample', async () => {
  const count = await loadCounter()
  const short = count('x'.repeat(60_000))
  expect(count('x'.repeat(6_000_000))).toBeGreaterThan(short * 95)
  expect(count('x'.repeat(6_000_000))).toBeLessThan(short * 105)
})
