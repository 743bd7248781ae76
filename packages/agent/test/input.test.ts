import { expect, it } from 'vitest'
import { z } from 'zod'
import { askQuestion, defineAgent, defineTool } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

/** A tool that waits, and a model that calls it once and then answers what it was last told. */
async function waiting() {
  const gate = Promise.withResolvers<string>()
  const wait = defineTool({ name: 'wait', description: '', input: z.object({}), execute: () => gate.promise })
  const model = scripted(({ prompt }, nth) => {
    if (nth === 0) return { text: 'Waiting.', calls: [{ name: 'wait', input: {} }] }
    const users = prompt.filter(({ role }) => role === 'user')
    return { text: `Heard: ${JSON.stringify(users.at(-1)?.content)}` }
  })
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model, tools: [wait] })] })
  const session = await agents.create({ agentId: 'a' })
  const turn = session.send('First.')
  for await (const item of turn) if (item.type === 'event' && item.eventType === 'tool.called') break
  return { session, turn, model, release: () => gate.resolve('waited') }
}

it('input is taken in after the turn by default, in a turn of its own', async () => {
  const { session, turn, release } = await waiting()
  const second = session.send('Second.')
  await second.accepted()
  release()
  expect((await turn.result).text).toContain('First.')
  const after = await second.result
  expect(after).toMatchObject({ outcome: 'completed' })
  expect(after.text).toContain('Second.')
  expect(after.runId).not.toBe((await turn.result).runId)
})

it('input that steers is seen at the next round of the same turn', async () => {
  const { session, turn, release } = await waiting()
  const steer = session.send('Rather this.', { policy: 'steer' })
  await steer.accepted()
  release()
  const [first, second] = [await turn.result, await steer.result]
  expect(first.text).toContain('Rather this.')
  expect(second.runId).toBe(first.runId)
})

it('input that interrupts ends the turn, keeps what it said, and is answered next', async () => {
  const { session, turn, release } = await waiting()
  const other = session.send('Stop, this.', { policy: 'interrupt' })
  expect((await turn.result).outcome).toBe('cancelled')
  expect((await other.result).text).toContain('Stop, this.')
  release()
})

it('input that is not to wait is refused while a turn is under way', async () => {
  const { session, turn, release } = await waiting()
  await expect(session.send('No.', { policy: 'reject' }).result).rejects.toMatchObject({ code: 'run_live' })
  release()
  await turn.result
})

it('the same input under one key is taken once, whether it began a turn or waits for one', async () => {
  const { session, turn, release, model } = await waiting()
  const [one, two] = [session.send('Once.', { key: 'k' }), session.send('Once.', { key: 'k' })]
  await Promise.all([one.accepted(), two.accepted()])
  release()
  await turn.result
  expect((await one.result).runId).toBe((await two.result).runId)
  const again = session.send('Once.', { key: 'k' })
  expect((await again.result).runId).toBe((await one.result).runId)
  expect(model.doStreamCalls).toHaveLength(3)
})

it('the same input under one key is taken once, whichever process is told', async () => {
  const place = newPlace()
  const agent = () => defineAgent({ id: 'a', model: scripted(() => ({ text: 'Heard.' })) })
  const [one, other] = [
    await started(place, { agents: [agent()] }),
    await started(place, { agents: [agent()] }),
  ]
  const { id } = await one.agents.create({ agentId: 'a' })
  const first = await one.agents.at(id).send('Once.', { key: 'k' }).result
  const again = await other.agents.at(id).send('Once.', { key: 'k' }).result
  expect(again.runId).toBe(first.runId)
})

it('input that came before a turn waited for an answer is taken in when that turn ends', async () => {
  const model = scripted(({ prompt }, nth) => {
    if (nth === 0) return { calls: [{ name: 'ask_question', input: { question: 'Which?' } }] }
    const users = prompt.filter(({ role }) => role === 'user')
    return { text: `Heard: ${JSON.stringify(users.at(-1)?.content)}` }
  })
  const agents = [defineAgent({ id: 'a', model, tools: [askQuestion] })]
  const process = await started(newPlace(), { agents, pollMs: 0 })
  const session = await process.agents.create({ agentId: 'a' })
  const asked = await session.send('First.').result
  const second = session.send('Second.')
  await second.accepted()
  await session.answer(asked.question?.questionId ?? '', 'this').result
  expect((await second.result).text).toContain('Second.')
}, 5_000)
