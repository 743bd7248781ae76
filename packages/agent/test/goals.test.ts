import { expect, it } from 'vitest'
import { defineAgent, type GoalRules } from '../src/index.ts'
import { newPlace, started } from './support/place.ts'
import { scripted } from './support/script.ts'

const counting = () => scripted((_options, nth) => ({ text: `I counted to ${nth + 1}.` }))
const three: GoalRules = {
  checks: [
    { criterion: 'it counts to three', passes: ({ text }) => text.includes('3') },
    { criterion: 'it is polite', passes: () => undefined },
  ],
}

it('a session with a goal works until its checks pass, and each answer says how far it came', async () => {
  const model = counting()
  const { agents, holdfast } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model, goal: three })],
  })
  await holdfast.seeds.put('count', { goal: 'Count to three', acceptanceCriteria: ['it counts to three'] })
  const session = await agents.create({
    agentId: 'a',
    purpose: 'autonomous',
    goalText: 'Count',
    seedId: 'count',
  })
  expect(await session.pursue().result).toMatchObject({ outcome: 'completed', text: 'I counted to 3.' })
  const { messages } = await session.log.messages()
  const answers = messages.filter(({ role }) => role === 'assistant')
  expect(answers.map(({ phaseReached, evaluationPassed }) => [phaseReached, evaluationPassed])).toEqual([
    ['evaluate', false],
    ['evaluate', false],
    ['evaluate', true],
  ])
  expect(answers.every(({ seedId }) => seedId === 'count')).toBe(true)
  expect(JSON.stringify(model.doStreamCalls[1]?.prompt)).toContain('- it counts to three')
  await session.pursue().result
  expect(model.doStreamCalls).toHaveLength(3)
})

it('a goal that is never reached ends after its steps, and what cannot be told is not told', async () => {
  const never: GoalRules = { checks: [{ criterion: 'no', passes: () => false }], maxSteps: 2 }
  const unknown: GoalRules = { checks: [{ criterion: 'who knows', passes: () => undefined }] }
  const { agents } = await started(newPlace(), {
    agents: [
      defineAgent({ id: 'never', model: counting(), goal: never }),
      defineAgent({ id: 'unknown', model: counting(), goal: unknown }),
    ],
  })
  const purpose = { purpose: 'autonomous' as const, goalText: 'Do it' }
  const one = await agents.create({ agentId: 'never', ...purpose })
  expect((await one.pursue().result).text).toBe('I counted to 2.')
  const two = await agents.create({ agentId: 'unknown', ...purpose })
  const { message } = await two.pursue().result
  expect(message).toMatchObject({ phaseReached: 'execute' })
  expect(message).not.toHaveProperty('evaluationPassed')
  const three = await agents.create({ agentId: 'never' })
  await expect(three.pursue().result).rejects.toMatchObject({ code: 'invalid_input' })
})
