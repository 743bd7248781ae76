/** Rules of tools that do not answer: they hold up neither an end of their turn nor anybody else's. */
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type AgentSession, type Approval, defineAgent, defineTool, type Tool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const never = new Promise<never>(() => {})

function guarded(approval: Approval<unknown>, more: { timeoutMs?: number; idempotent?: boolean } = {}): Tool {
  const execute = () => 'done'
  return defineTool({ name: 'guarded', description: '', input: z.object({}), execute, approval, ...more })
}

/** Calls the tool once, and ends when it has a result. */
function calling(tool: Tool) {
  const model = scripted(({ prompt }) => {
    if (prompt.at(-1)?.role === 'tool') return { text: 'Done.' }
    return { calls: [{ id: 'c', name: 'guarded', input: {} }] }
  })
  return defineAgent({ id: 'policy', model, tools: [tool] })
}

const finished = async ({ log }: Pick<AgentSession, 'log'>) =>
  (await log.events({ limit: 100 })).events.flatMap(({ type, data }) =>
    type === 'tool.finished' ? [data] : [],
  )

/** Asks forever, and says when it was asked. */
function hanging() {
  const { promise: asked, resolve } = Promise.withResolvers<void>()
  const rule = () => {
    resolve()
    return never
  }
  return { rule, asked }
}

it('a rule that does not answer holds up no stop', async () => {
  const { rule, asked } = hanging()
  const { agents } = await started(newPlace(), { agents: [calling(guarded(rule))] })
  const session = await agents.create({ agentId: 'policy' })
  const turn = session.send('Go.')
  await asked
  await session.stop('enough')
  expect((await turn.result).outcome).toBe('cancelled')
})

it('a rule that does not answer holds up no close, and its call stays open for whoever goes on', async () => {
  const path = newPlace()
  const { rule, asked } = hanging()
  const first = await started(path, { agents: [calling(guarded(rule))] })
  const session = await first.agents.create({ agentId: 'policy' })
  const { result } = session.send('Go.')
  await asked
  await first.agents.close({ drainMs: 0 })
  expect((await result).outcome).toBe('suspended')
  expect(await finished(session)).toEqual([])
  const second = await started(path, { agents: [calling(guarded(() => false))], pollMs: 0 })
  await second.agents.recover()
  await second.agents.idle()
  expect(await finished(second.agents.at(session.id))).toMatchObject([{ output: 'done', outcome: 'ok' }])
})

it('a rule that does not answer in the time of its tool decides nothing: then a person does', async () => {
  const { agents } = await started(newPlace(), { agents: [calling(guarded(() => never, { timeoutMs: 20 }))] })
  const session = await agents.create({ agentId: 'policy' })
  const asked = await session.send('Go.').result
  expect(asked).toMatchObject({ outcome: 'suspended', question: { toolCallId: 'c', toolName: 'guarded' } })
  const done = await session.answer(asked.question?.questionId ?? '', 'approve').result
  expect(done).toMatchObject({ outcome: 'completed', text: 'Done.' })
  expect(await finished(session)).toMatchObject([{ output: 'done', outcome: 'ok' }])
})

it('what a person was asked is theirs to say, whatever the rule says by then', async () => {
  let times = 0
  const { agents } = await started(newPlace(), { agents: [calling(guarded(() => times++ === 0))] })
  const session = await agents.create({ agentId: 'policy' })
  const asked = await session.send('Go.').result
  await session.answer(asked.question?.questionId ?? '', 'deny').result
  expect(await finished(session)).toMatchObject([{ outcome: 'denied' }])
})

/** A run whose worker died with a call open. */
async function lost({ holdfast }: Pick<Awaited<ReturnType<typeof started>>, 'holdfast'>): Promise<string> {
  const session = await holdfast.sessions.create({ agentId: 'policy' })
  const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'go' }] }
  const { run } = await session.batchRun([
    { type: 'append', message },
    { type: 'startRun', owner: 'dead', ttlMs: 20 },
    { type: 'startRound' },
  ])
  const call = { type: 'tool_call' as const, callId: 'c', name: 'guarded', input: {} }
  await run?.batch([{ type: 'append', message: { role: 'assistant', parts: [call] } }])
  await new Promise((resolve) => setTimeout(resolve, 40))
  return session.id
}

const silent: [what: string, rule: Approval<unknown>, more?: { timeoutMs: number }][] = [
  ['does not answer', () => never],
  ['does not answer in the time of its tool', () => never, { timeoutMs: 5 }],
  ['fails', () => Promise.reject(new Error('away'))],
]

it.each(silent)(
  'at take-over a call whose rule %s may have run, and is closed',
  async (_what, rule, more) => {
    const place = await started(newPlace(), {
      agents: [calling(guarded(rule, more))],
      pollMs: 0,
      leaseTtlMs: 500,
    })
    const id = await lost(place)
    await place.agents.recover()
    await place.agents.idle()
    const session = place.agents.at(id)
    expect(await finished(session)).toMatchObject([{ outcome: 'unknown', synthetic: true }])
    expect((await session.log.view()).run?.state).toBe('completed')
  },
)

it('at take-over a call that its rule leaves to a person still waits for one', async () => {
  const place = await started(newPlace(), { agents: [calling(guarded(() => true))], pollMs: 0 })
  const id = await lost(place)
  await place.agents.recover()
  await place.agents.idle()
  const { run } = await place.agents.at(id).log.view()
  expect(run).toMatchObject({ state: 'suspended', suspendReason: 'question' })
})

it('sessions that are due are taken on each by itself: one that takes for ever keeps no other', async () => {
  const ok = defineAgent({ id: 'ok', model: scripted(() => ({ text: 'Fine.' })) })
  const { agents, holdfast } = await started(newPlace(), { agents: [ok], pollMs: 0 })
  const message = { role: 'user' as const, parts: [{ type: 'text' as const, text: 'go' }] }
  const ids: string[] = []
  for (let n = 0; n < 3; n++) {
    const { id } = await holdfast.sessions.create({ agentId: 'ok' })
    await holdfast.sessions.at(id).batch([{ type: 'append', message, due: true }])
    ids.push(id)
  }
  const gate = Promise.withResolvers<void>()
  const getSummary = holdfast.sessions.getSummary.bind(holdfast.sessions)
  holdfast.sessions.getSummary = async (id) => {
    if (id === ids[0]) await gate.promise
    return getSummary(id)
  }
  const looked = agents.recover()
  const stateOf = async (id = '') => (await holdfast.sessions.get(id))?.run?.state
  await expect.poll(() => stateOf(ids[1])).toBe('completed')
  await expect.poll(() => stateOf(ids[2])).toBe('completed')
  expect(await stateOf(ids[0])).toBeUndefined()
  gate.resolve()
  await looked
  await agents.idle()
  expect(await stateOf(ids[0])).toBe('completed')
})
