import { expect, it } from 'vitest'
import { z } from 'zod'
import { type AgentSession, defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const never = new Promise<never>(() => {})

async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

it('a stop from another process keeps the answer so far, and what it used is estimated', async () => {
  const path = newPlace()
  const model = scripted([{ text: 'Once upon a time', until: never, usage: 'none' }])
  const agent = defineAgent({ id: 'a', model })
  const here = await started(path, { agents: [agent] })
  const there = await started(path, { agents: [] })
  const session = await here.agents.create({ agentId: 'a' })
  const turn = session.send('Tell me a story.')
  let text = ''
  for await (const item of turn) {
    if (item.type !== 'draft') continue
    text += item.draft.text
    if (text.endsWith('time')) break
  }
  await there.agents.at(session.id).stop('enough')
  expect(await turn.result).toMatchObject({
    outcome: 'cancelled',
    text: 'Once upon a time',
    message: { finish: 'interrupted' },
    usage: { attempts: 1 },
  })
  const { rows } = await here.holdfast.usage.list(session.id)
  expect(rows).toMatchObject([{ status: 'aborted', estimated: true }])
  expect(rows[0]?.completionTokens).toBeGreaterThan(2)
})

it('a stop closes the calls under way, and what they bring later is kept as a note', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const slow = defineTool({ name: 'slow', description: '', input: z.object({}), execute: () => promise })
  const model = scripted([{ calls: [{ name: 'slow', input: {} }] }])
  const { agents, holdfast } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, tools: [slow] })],
  })
  const session = await agents.create({ agentId: 'a' })
  const turn = session.send('Go.')
  await until(async () => {
    const { events } = await session.log.events()
    return events.find(({ type }) => type === 'tool.called')
  })
  await session.stop()
  expect((await turn.result).outcome).toBe('cancelled')
  resolve('done after all')
  const note = await until(async () => {
    const { events } = await holdfast.sessions.at(session.id).events()
    return events.find(({ type }) => type === 'note.added')
  })
  expect(note.data).toMatchObject({ kind: 'late_tool_result', data: { output: 'done after all' } })
  const { events } = await session.log.events()
  expect(events.filter(({ type }) => type === 'tool.finished').map(({ data }) => data)).toMatchObject([
    { outcome: 'unknown', synthetic: true },
  ])
})

it('a process that closes leaves its turn where it is, and another goes on with it', async () => {
  const path = newPlace()
  const first = await started(path, {
    agents: [defineAgent({ id: 'a', model: scripted([{ text: 'The first half', until: never }]) })],
  })
  const session = await first.agents.create({ agentId: 'a' })
  const turn = session.send('Tell me.')
  let text = ''
  for await (const item of turn) {
    if (item.type === 'draft') text += item.draft.text
    if (text.endsWith('half')) break
  }
  const left = turn.result
  await first.agents.close({ drainMs: 0 })
  expect(await left).toMatchObject({ outcome: 'suspended', text: 'The first half' })
  const model = scripted([{ text: 'and the second.' }])
  const second = await started(path, { agents: [defineAgent({ id: 'a', model })], pollMs: 0 })
  await second.agents.recover()
  await second.agents.idle()
  const { messages } = await second.holdfast.sessions.at(session.id).messages()
  expect(messages.map(({ role, finish }) => [role, finish])).toEqual([
    ['user', undefined],
    ['assistant', 'interrupted'],
    ['assistant', 'complete'],
  ])
  expect(model.doStreamCalls[0]?.prompt.at(-1)).toMatchObject({ role: 'user' })
})

it('a process that closes waits for a turn that ends soon', async () => {
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model: scripted([{ text: 'Done.' }]) })],
  })
  const turn = (await agents.create({ agentId: 'a' })).send('Go.')
  await turn.accepted()
  await agents.close()
  expect((await turn.result).outcome).toBe('completed')
})

const none = z.object({})

const notesOf = async ({ log }: Pick<AgentSession, 'log'>) =>
  (await log.events({ limit: 100 })).events.flatMap(({ type, data }) => (type === 'note.added' ? [data] : []))

it('a late result that is no JSON is noted as the error that it is, while its run goes on and after its end', async () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const [first, second, third] = [0, 1, 2].map(() => Promise.withResolvers<unknown>())
  const brief = { description: '', input: none, timeoutMs: 20 }
  const tools = [
    defineTool({ ...brief, name: 'first', execute: () => first?.promise }),
    defineTool({ ...brief, name: 'second', execute: () => second?.promise, timeoutMs: 60_000 }),
    defineTool({ ...brief, name: 'third', execute: () => third?.promise }),
  ]
  const model = scripted([
    {
      calls: [
        { id: 'a', name: 'first', input: {} },
        { id: 'c', name: 'third', input: {} },
      ],
    },
    { calls: [{ id: 'b', name: 'second', input: {} }] },
  ])
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model, tools })] })
  const session = await agents.create({ agentId: 'a' })
  const turn = session.send('Go.')
  await until(() => (model.doStreamCalls.length === 2 ? true : undefined))
  first?.resolve(circular)
  third?.reject(new Error('no'))
  await until(async () => {
    const { events } = await session.log.events({ limit: 100 })
    return events.find(
      ({ type, data }) => type === 'tool.called' && (data as { callId: string }).callId === 'b',
    )
  })
  await session.stop()
  expect((await turn.result).outcome).toBe('cancelled')
  second?.resolve({ id: 5n })
  const notes = await until(async () => {
    const all = await notesOf(session)
    return all.length === 3 ? all : undefined
  })
  const of = (callId: string) => notes.find((note) => (note as { callId: string }).callId === callId)
  expect(of('a')).toMatchObject({ data: { outcome: 'error', output: expect.stringContaining('circular') } })
  expect(of('b')).toMatchObject({ data: { outcome: 'error', output: expect.stringContaining('BigInt') } })
  expect(of('c')).toMatchObject({ data: { outcome: 'error', output: 'no' } })
})

it('a late error that cannot even be told goes to who is told of errors, and no further', async () => {
  const { promise, reject } = Promise.withResolvers<unknown>()
  const tool = defineTool({
    name: 'bare',
    description: '',
    input: none,
    timeoutMs: 20,
    execute: () => promise,
  })
  const gate = Promise.withResolvers<void>()
  const model = scripted([{ calls: [{ name: 'bare', input: {} }] }, { text: 'On.', until: gate.promise }])
  const errors: unknown[] = []
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, tools: [tool] })],
    onError: (error) => errors.push(error),
  })
  const turn = (await agents.create({ agentId: 'a' })).send('Go.')
  await until(() => (model.doStreamCalls.length === 2 ? true : undefined))
  reject({
    get message(): string {
      throw new Error('none')
    },
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  gate.resolve()
  expect((await turn.result).outcome).toBe('completed')
  await until(() => errors[0])
  expect(errors).toEqual([new Error('none')])
})
