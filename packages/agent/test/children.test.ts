import { tokenBudget } from '@holdfast/protocol'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type Agent,
  type AgentSession,
  askQuestion,
  type ChildRules,
  defineAgent,
  defineTool,
  spawnChild,
} from '../src/index.ts'
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

describe('a parent whose child ends just before it comes to rest goes on at once', () => {
  /** The parent rests only after the log says that its child has ended: the slow tool waits for that. */
  function families(helper: Agent): Agent[] {
    const slow = defineTool({
      name: 'slow',
      description: '',
      input: z.object({}),
      execute: async () => {
        await expect.poll(() => ended(), { timeout: 10_000 }).toBe(true)
        return 'slow'
      },
    })
    const model = scripted(({ prompt }) => {
      const last = prompt.at(-1)
      const heard = last?.role === 'tool' && { text: `Heard ${JSON.stringify(last.content)}` }
      return heard || { calls: [give('a', 'first'), { id: 'b', name: 'slow', input: {} }] }
    })
    const tools = [slow, spawnChild({ agents: { helper: 'helps' } })]
    return [defineAgent({ id: 'parent', model, tools }), helper]
  }
  let parent: AgentSession | undefined
  const typesOf = async (): Promise<string[]> => {
    const page = await parent?.log.events({ limit: 200 })
    return page?.events.map(({ type }) => type) ?? []
  }
  const ended = async (): Promise<boolean> => (await typesOf()).includes('child.finished')
  const inOrder = async (): Promise<string[]> => {
    const order = ['child.finished', 'run.suspended', 'run.resumed', 'run.completed']
    return (await typesOf()).filter((type) => order.includes(type))
  }
  const expected = ['child.finished', 'run.suspended', 'run.resumed', 'run.completed']

  it('in this process', async () => {
    const helper = defineAgent({ id: 'helper', model: scripted(() => ({ text: 'One.' })) })
    const { agents } = await started(newPlace(), { agents: families(helper), pollMs: 0 })
    parent = await agents.create({ agentId: 'parent' })
    expect((await parent.send('Go.').result).text).toContain('One.')
    expect(await inOrder()).toEqual(expected)
  })

  it('in another process, which cannot go on with the parent', async () => {
    const model = scripted(({ prompt }) =>
      prompt.at(-1)?.role === 'tool'
        ? { text: 'One.' }
        : { calls: [{ id: 'q', name: 'ask_question', input: { question: 'Really?' } }] },
    )
    const helper = defineAgent({ id: 'helper', model, tools: [askQuestion] })
    const path = newPlace()
    const { agents, holdfast } = await started(path, { agents: families(helper), pollMs: 0 })
    const other = await started(path, { agents: [helper], pollMs: 0 })
    parent = await agents.create({ agentId: 'parent' })
    const { id } = parent
    const turn = parent.send('Go.')
    const asking = async () => (await holdfast.sessions.tree(id)).children[0]?.session
    await expect.poll(async () => (await asking())?.openQuestionId, { timeout: 10_000 }).toBeDefined()
    const { id: child, openQuestionId = '' } = (await asking()) ?? { id: '' }
    expect((await other.agents.at(child).answer(openQuestionId, 'yes').result).text).toBe('One.')
    expect((await turn.result).text).toContain('One.')
    expect(await inOrder()).toEqual(expected)
  })
})

describe('who waits for a child takes up its run only when there is something new', () => {
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 300))
  const resumedIn = async ({ log }: AgentSession, runId?: string): Promise<number> => {
    const { events } = await log.events({ limit: 1_000 })
    const resumed = events.filter(({ type }) => type === 'run.resumed')
    return resumed.filter((event) => runId === undefined || event.runId === runId).length
  }
  const spawning = (id: string, agent: string, tasks: readonly string[]): Agent => {
    const calls = tasks.map((task) => ({ id: task, name: 'spawn_child', input: { agent, task } }))
    const model = scripted(({ prompt }) => (prompt.at(-1)?.role === 'tool' ? { text: 'Done.' } : { calls }))
    return defineAgent({ id, model, tools: [spawnChild({ agents: { [agent]: 'helps' } })] })
  }

  it('also when somebody waits for it in turn', async () => {
    const { promise: until, resolve: end } = Promise.withResolvers<void>()
    const leaf = defineAgent({ id: 'leaf', model: scripted(() => ({ text: 'So far', until })) })
    const all = [spawning('top', 'between', ['a']), spawning('between', 'leaf', ['b']), leaf]
    const { agents, holdfast } = await started(newPlace(), { agents: all, pollMs: 0 })
    const session = await agents.create({ agentId: 'top' })
    const turn = session.send('Go.')
    const below = async () => (await holdfast.sessions.tree(session.id)).children[0]
    await expect.poll(async () => (await below())?.children.length, { timeout: 10_000 }).toBe(1)
    await pause()
    end()
    expect((await turn.result).outcome).toBe('completed')
    const between = (await below())?.session.id ?? ''
    expect([await resumedIn(session), await resumedIn(agents.at(between))]).toEqual([1, 1])
  })

  it('also when input waits for its end', async () => {
    const { promise: until, resolve: end } = Promise.withResolvers<void>()
    const { promise: quick, resolve: go } = Promise.withResolvers<void>()
    const model = scripted(({ prompt }) => {
      return JSON.stringify(prompt).includes('quick')
        ? { text: 'Here.', until: quick }
        : { text: 'So far', until }
    })
    const all = [spawning('top', 'leaf', ['quick', 'slow']), defineAgent({ id: 'leaf', model })]
    const { agents } = await started(newPlace(), { agents: all, pollMs: 0 })
    const session = await agents.create({ agentId: 'top' })
    const turn = session.send('Go.')
    for await (const item of turn) if (item.type === 'event' && item.eventType === 'run.suspended') break
    const next = session.send('And then?')
    expect(await next.accepted()).toMatchObject({ waiting: true })
    go()
    await expect.poll(() => resumedIn(session), { timeout: 10_000 }).toBeGreaterThan(0)
    await pause()
    end()
    const { outcome, runId } = await turn.result
    expect(outcome).toBe('completed')
    expect((await next.result).outcome).toBe('completed')
    // Once for each child that ended.
    expect(await resumedIn(session, runId)).toBe(2)
  })
})
