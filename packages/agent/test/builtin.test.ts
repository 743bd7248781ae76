import { expect, it } from 'vitest'
import { askQuestion, compactContext, defineAgent, searchHistory, updateTasks } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { type Script, scripted } from './support/script.ts'

async function talking(script: Script) {
  const tools = [askQuestion, updateTasks, compactContext, searchHistory]
  const model = scripted(script)
  const process = await started(newPlace(), { agents: [defineAgent({ id: 'a', model, tools })], pollMs: 0 })
  return { ...process, model, session: await process.agents.create({ agentId: 'a' }) }
}

const outputs = async (session: Awaited<ReturnType<typeof talking>>['session']) => {
  const { events } = await session.log.events({ limit: 200 })
  return events.flatMap(({ type, data }) =>
    type === 'tool.finished' ? [data as { output: unknown; outcome: string }] : [],
  )
}

it('a question of the model waits for its answer, in whichever process it is given', async () => {
  const path = newPlace()
  const calls = [
    {
      id: 'q1',
      name: 'ask_question',
      input: { question: 'Which city?', options: ['Oslo', 'Bergen'], allowCustom: false },
    },
    { id: 'q2', name: 'ask_question', input: { question: 'How many nights?' } },
  ]
  const agent = () => {
    const model = scripted(({ prompt }) => (prompt.at(-1)?.role === 'tool' ? { text: 'Booked.' } : { calls }))
    return defineAgent({ id: 'a', model, tools: [askQuestion] })
  }
  const first = await started(path, { agents: [agent()], pollMs: 0 })
  const session = await first.agents.create({ agentId: 'a' })
  const asked = await session.send('Book.').result
  expect(asked).toMatchObject({
    outcome: 'suspended',
    question: { question: 'Which city?', toolCallId: 'q1' },
  })
  await first.end()
  const second = await started(path, { agents: [agent()], pollMs: 0 })
  const there = second.agents.at(session.id)
  const wrong = there.answer(asked.question?.questionId ?? '', 'Rome').result
  await expect(wrong).rejects.toMatchObject({ code: 'invalid_answer' })
  const next = await there.answer(asked.question?.questionId ?? '', 'Oslo').result
  expect(next).toMatchObject({ outcome: 'suspended', question: { question: 'How many nights?' } })
  const done = await there.answer(next.question?.questionId ?? '', 'three').result
  expect(done).toMatchObject({ outcome: 'completed', text: 'Booked.' })
  expect((await outputs(there)).map(({ output }) => output)).toEqual(['Oslo', 'three'])
})

it('a question that cannot be asked is told to the model as its fault', async () => {
  const input = { question: 'Fill in.', form: { type: 'array' } }
  const { session } = await talking(({ prompt }) => {
    return prompt.at(-1)?.role === 'tool' ? { text: 'Sorry.' } : { calls: [{ name: 'ask_question', input }] }
  })
  expect(await session.send('Go.').result).toMatchObject({ outcome: 'completed', text: 'Sorry.' })
  expect(await outputs(session)).toMatchObject([{ outcome: 'error' }])
})

it('tasks are kept in the session, and a task with unmet criteria stays in progress', async () => {
  const items = [{ id: 't1', description: 'Write it', completionCriteria: ['tests pass'] }]
  const { session } = await talking([
    { calls: [{ name: 'update_tasks', input: { items } }] },
    { calls: [{ name: 'update_tasks', input: { updates: [{ itemId: 't1', status: 'completed' }] } }] },
    { text: 'Done.' },
  ])
  await session.send('Go.').result
  expect((await session.log.view()).taskList?.items[0]).toMatchObject({ status: 'in_progress' })
  expect((await outputs(session)).at(-1)?.output).toContain('[~] t1: Write it')
})

it('a model finds what its context does not show any more', async () => {
  const { session } = await talking(({ prompt }, nth) => {
    if (nth < 5) return { text: `Noted ${nth}.` }
    if (nth === 5) return { calls: [{ name: 'compact_context', input: {} }] }
    if (prompt[0]?.role === 'system') return { text: 'Nothing much.' }
    const last = prompt.at(-1)
    if (last?.role === 'tool' && JSON.stringify(last.content).includes('1234')) return { text: 'It is 1234.' }
    return { calls: [{ id: 's', name: 'search_history', input: { query: 'locker code' } }] }
  })
  await session.send('My locker code is 1234.').result
  for (let n = 0; n < 4; n++) await session.send(`Chat ${n}.`).result
  const { text } = await session.send('What is my locker code?').result
  expect(text).toBe('It is 1234.')
  expect((await session.log.contextState()).overlays).toHaveLength(1)
})
