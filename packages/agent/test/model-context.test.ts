/** What the model would see now, without asking it. */
import { modelContext, tokenBudget } from '@holdfast/protocol'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { type AgentInput, defineAgent, defineTool, updateTasks } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { type Script, scripted } from './support/script.ts'

async function sessionOf(script: Script, input: Partial<AgentInput> = {}) {
  const model = scripted(script)
  const agent = defineAgent({ id: 'a', instructions: 'Be brief.', model, ...input })
  const path = newPlace()
  const process = await started(path, { agents: [agent], pollMs: 0 })
  return { ...process, path, agent, model, session: await process.agents.create({ agentId: 'a' }) }
}

const spoken = { text: 'Yes.', usage: 'none' } as const

it('is what the next call sends, as JSON of its schema; nothing is called and nothing is written', async () => {
  const look = defineTool({ name: 'look', description: 'Looks', input: z.object({}), execute: () => 'seen' })
  const { session, model } = await sessionOf(
    [{ calls: [{ name: 'look', input: {} }], usage: 'none' }, spoken, spoken],
    {
      tools: [look],
    },
  )
  await session.send('Look.').result
  await session.log.append({ role: 'user', parts: [{ type: 'text', text: 'And now?' }] })
  const before = await session.log.view()
  const context = await session.context()
  expect(await session.log.view()).toEqual(before)
  expect(model.doStreamCalls).toHaveLength(2)
  expect(modelContext.parse(JSON.parse(JSON.stringify(context)))).toEqual(context)
  expect(context).toMatchObject({
    agentId: 'a',
    providerId: 'test',
    model: 'scripted',
    system: { sections: [{ name: 'instructions', text: 'Be brief.' }], text: 'Be brief.' },
    tools: ['look'],
    tokens: { total: context.manifest.tokens, summary: 0 },
    budget: { windowTokens: 128_000, roomTokens: 110_336 },
  })
  expect(context.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
  expect(context.messages[0]?.messageId).toBe((await session.log.messages()).messages[0]?.id)
})

it('is the manifest and the size that the log then says of the call', async () => {
  const { session } = await sessionOf([spoken, spoken])
  await session.send('One.').result
  await session.log.append({ role: 'user', parts: [{ type: 'text', text: 'Two.' }] })
  const { tokens, manifest } = await session.context()
  await session.send('Three.').result
  const { usage, manifest: sent } = await session.lastCall()
  expect(sent?.blocks.slice(0, manifest.blocks.length - 1)).toEqual(manifest.blocks.slice(0, -1))
  expect(usage?.totalTokens).toBeGreaterThan(tokens.total)
})

it('has the summaries in force by the compactions that made them, with their size', async () => {
  const words = 'the quick brown fox jumps over a lazy dog '.repeat(10)
  const { session } = await sessionOf(({ prompt }) => {
    const isSummary = JSON.stringify(prompt[0]).includes('You summarise')
    return { text: isSummary ? 'They talked.' : 'Yes.', usage: 'none' }
  })
  for (let n = 0; n < 6; n++) await session.send(`Question ${n}. ${words}`).result
  expect(await session.compact()).toBe(true)
  const [overlay] = (await session.log.contextState()).overlays
  const { messages, tokens, manifest, cacheBreak } = await session.context()
  expect(messages.find(({ compactionId }) => compactionId === overlay?.compactionId)?.parts).toMatchObject([
    { text: expect.stringContaining('They talked.') },
  ])
  const block = manifest.blocks.find(({ kind }) => kind === 'summary')
  expect(block).toMatchObject({ name: overlay?.compactionId, messages: 1, tokens: tokens.summary })
  expect(tokens.system + tokens.summary + tokens.window).toBe(tokens.total)
  expect(cacheBreak).toMatchObject({ kind: 'summary', name: overlay?.compactionId, change: 'added' })
})

it('of a turn under way has the prompt that the turn goes by, here and in another process', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const list = { title: 'Work', items: [{ id: 't1', description: 'Dig.' }] }
  const { session, path, agent } = await sessionOf(
    [
      { calls: [{ name: 'update_tasks', input: list }], usage: 'none' },
      { ...spoken, until: promise },
    ],
    { tools: [updateTasks], budget: tokenBudget.parse({ spend: { tokens: 1_000_000 } }) },
  )
  const turn = session.send('Plan.')
  for await (const item of turn) if (item.type === 'draft') break
  const other = await started(path, { agents: [agent], pollMs: 0 })
  const there = await other.agents.at(session.id).context()
  const here = await session.context()
  expect(here.system.sections.map(({ name }) => name)).toEqual(['instructions'])
  expect(there).toEqual(here)
  resolve()
  await turn.result
  const after = await session.context()
  expect(after.system.sections.map(({ name }) => name)).toEqual(['instructions', 'tasks'])
  expect(after.cacheBreak).toMatchObject({ kind: 'section', name: 'tasks', change: 'added' })
})

it('of a turn under way has the prompt of the turn before anything of it is written', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { session } = await sessionOf([{ ...spoken, until: promise }])
  const turn = session.send('Wait.')
  for await (const item of turn) if (item.type === 'draft') break
  await session.log.setTasks({ title: 'Work', items: [{ id: 't1', description: 'Dig.' }] })
  expect((await session.context()).system.text).toBe('Be brief.')
  resolve()
  await turn.result
  expect((await session.context()).system.text).toContain('Dig.')
})

it('of a session whose agent is not defined here is not known', async () => {
  const { holdfast, agents } = await sessionOf([])
  const { id } = await holdfast.sessions.create({ agentId: 'somebody-else' })
  await expect(agents.at(id).context()).rejects.toMatchObject({ code: 'not_found' })
})
