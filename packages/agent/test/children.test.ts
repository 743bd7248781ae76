import { tokenBudget } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { type Agent, type ChildRules, defineAgent, spawnChild } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { type Call, type Step, scripted } from './support/script.ts'

const never = new Promise<never>(() => {})

function family(
  calls: readonly Call[],
  helper: (task: string) => Step,
  rules: Partial<ChildRules> = {},
): Agent[] {
  const parent = defineAgent({
    id: 'parent',
    model: scripted(({ prompt }) => {
      const last = prompt.at(-1)
      return last?.role === 'tool' ? { text: `Heard ${JSON.stringify(last.content)}` } : { calls }
    }),
    tools: [spawnChild({ agents: { helper: 'helps' }, ...rules })],
    onLimit: 'end',
  })
  const child = defineAgent({
    id: 'helper',
    model: scripted(({ prompt }) => helper(JSON.stringify(prompt))),
    onLimit: 'end',
  })
  return [parent, child]
}

const give = (id: string, task: string, budget?: object): Call => ({
  id,
  name: 'spawn_child',
  input: { agent: 'helper', task, ...(budget && { budget }) },
})

it('children work beside each other, and their parent goes on with what they said', async () => {
  const agents = family([give('a', 'first'), give('b', 'second')], (prompt) => ({
    text: prompt.includes('first') ? 'One.' : 'Two.',
    usage: { prompt: 20, completion: 3 },
  }))
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'parent' })
  const result = await session.send('Go.').result
  expect(result).toMatchObject({ outcome: 'completed' })
  expect(result.text).toMatch(/One\..*Two\./s)
  const { children } = await process.holdfast.sessions.tree(session.id)
  expect(children.map(({ session: { status, counters } }) => [status, counters.promptTokens])).toEqual([
    ['completed', 20],
    ['completed', 20],
  ])
  const { events } = await session.log.events({ limit: 200 })
  const told = events.filter(({ type }) => type === 'child.finished')
  expect(told.map(({ data }) => (data as { spent: { tokens: number } }).spent.tokens)).toEqual([23, 23])
})

it('a parent with a budget grants a part of what is left, and no tree passes it', async () => {
  const calls = Array.from({ length: 16 }, (_, i) => give(`c${i}`, `part ${i}`))
  const agents = family(calls, () => ({ text: 'Done.', usage: { prompt: 300, completion: 90 } }))
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const limit = 20_000
  const session = await process.agents.create({
    agentId: 'parent',
    budget: tokenBudget.parse({ maxContextTokens: 4_000, maxOutputTokens: 100, spend: { tokens: limit } }),
  })
  await session.send('Go.').result
  await process.agents.idle()
  const totals = await process.holdfast.usage.totals({ rootSessionId: session.id })
  expect(totals.promptTokens + totals.completionTokens).toBeLessThanOrEqual(limit)
  const { children } = await process.holdfast.sessions.tree(session.id)
  expect(children).toHaveLength(16)
})

it('of children of which any is enough, the others are stopped', async () => {
  const agents = family(
    [give('a', 'quick'), give('b', 'slow')],
    (prompt) => (prompt.includes('quick') ? { text: 'Here.' } : { text: 'Hm', until: never }),
    { waitFor: 'any' },
  )
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'parent' })
  const result = await session.send('Go.').result
  expect(result.outcome).toBe('completed')
  expect(result.text).toContain('Here.')
  await process.agents.idle()
  const { children } = await process.holdfast.sessions.tree(session.id)
  expect(children.map(({ session: { status } }) => status).sort()).toEqual(['cancelled', 'completed'])
})

it('when a parent is stopped its children stop too, with what they have said kept', async () => {
  const agents = family([give('a', 'slow')], () => ({ text: 'So far', until: never }))
  const path = newPlace()
  const process = await started(path, { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'parent' })
  const turn = session.send('Go.')
  for await (const item of turn) {
    if (item.type === 'event' && item.eventType === 'run.suspended') break
  }
  const other = await started(path, { agents: [], pollMs: 0 })
  await other.agents.at(session.id).stop()
  await process.agents.idle()
  const { children } = await process.holdfast.sessions.tree(session.id)
  expect(children.map(({ session: { status } }) => status)).toEqual(['cancelled'])
})

it('a child whose time is up is stopped, and its parent goes on', async () => {
  const agents = family([give('a', 'slow')], () => ({ text: 'So far', until: never }), { timeoutMs: 2_000 })
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'parent' })
  const { text } = await session.send('Go.').result
  expect(text).toContain('So far')
})

it('what may not be spawned is a call that failed', async () => {
  const agents = family([give('a', 'x')], () => ({ text: 'no' }), { maxDepth: 0 })
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'parent' })
  expect((await session.send('Go.').result).text).toContain('generations deep')
})
