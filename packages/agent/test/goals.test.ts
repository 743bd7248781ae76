import { expect, it } from 'vitest'
import { evaluate } from '../src/goals/evaluate.ts'
import { type Check, defineAgent, type GoalRules } from '../src/index.ts'
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

it('a check that throws tells nothing: the answer that was paid for stands, and the host hears of it', async () => {
  const broken: Check = {
    criterion: 'it is kind',
    passes: () => {
      throw new Error('check broke')
    },
  }
  const told: unknown[] = []
  const { agents, holdfast } = await started(newPlace(), {
    agents: [
      defineAgent({ id: 'broken', model: counting(), goal: { checks: [broken] } }),
      defineAgent({ id: 'mixed', model: counting(), goal: { checks: [broken, ...three.checks] } }),
    ],
    onError: (error, sessionId) => told.push([(error as Error).message, sessionId]),
  })
  await holdfast.priceBooks.put('book', {
    prices: { 'test/scripted': { prompt: 1_000_000_000, completion: 4_000_000_000 } },
  })
  await holdfast.priceBooks.setCurrent('book')
  const money = {
    purpose: 'autonomous',
    goalText: 'Do it',
    budget: { spend: { costMicrocents: 100_000_000 } },
  } as const
  const one = await agents.create({ agentId: 'broken', ...money })
  const { outcome, message, usage } = await one.pursue().result
  expect(outcome).toBe('completed')
  expect(message).toMatchObject({ finish: 'complete', phaseReached: 'execute' })
  expect(message).not.toHaveProperty('evaluationPassed')
  expect(usage).toMatchObject({ attempts: 1, promptTokens: 10, completionTokens: 5 })
  expect(told).toEqual([['the check of "it is kind" threw: check broke', one.id]])
  const { events } = await one.log.events({ limit: 200 })
  const spent = events
    .map(({ type }) => type)
    .filter((type) => type.startsWith('budget.') || type.startsWith('usage.'))
  expect(spent).toEqual(['budget.set', 'budget.reserved', 'usage.recorded', 'budget.settled'])
  const two = await agents.create({ agentId: 'mixed', ...money })
  expect(await two.pursue().result).toMatchObject({
    text: 'I counted to 3.',
    message: { evaluationPassed: true },
  })
})

const forever = new Promise<never>(() => {})

it('a check that does not answer in its time cannot be told, and the others stand', async () => {
  const hangs = { criterion: 'it is wise', passes: () => forever }
  const only: GoalRules = { checks: [hangs], timeoutMs: 20 }
  const beside: GoalRules = {
    ...only,
    checks: [hangs, { criterion: 'no', passes: () => false }],
    maxSteps: 1,
  }
  const { agents } = await started(newPlace(), {
    agents: [
      defineAgent({ id: 'only', model: counting(), goal: only }),
      defineAgent({ id: 'beside', model: counting(), goal: beside }),
    ],
  })
  const purpose = { purpose: 'autonomous' as const, goalText: 'Do it' }
  const one = await (await agents.create({ agentId: 'only', ...purpose })).pursue().result
  expect(one).toMatchObject({ outcome: 'completed', message: { phaseReached: 'execute' } })
  expect(one.message).not.toHaveProperty('evaluationPassed')
  const two = await (await agents.create({ agentId: 'beside', ...purpose })).pursue().result
  expect(two.message).toMatchObject({ phaseReached: 'evaluate', evaluationPassed: false })
})

it('a session that is stopped does not wait for a check, and its answer stands', async () => {
  const begun = Promise.withResolvers<void>()
  const hangs: Check = {
    criterion: 'it is wise',
    passes: () => {
      begun.resolve()
      return forever
    },
  }
  const { agents } = await started(newPlace(), {
    agents: [defineAgent({ id: 'a', model: counting(), goal: { checks: [hangs] } })],
  })
  const session = await agents.create({ agentId: 'a', purpose: 'autonomous', goalText: 'Do it' })
  const turn = session.pursue()
  await begun.promise
  await session.stop('enough')
  const { usage, message } = await turn.result
  expect(usage.attempts).toBe(1)
  expect(message).toMatchObject({ finish: 'complete', phaseReached: 'execute' })
}, 20_000)

it('of a turn that is to stop, what no check has said yet cannot be told', async () => {
  const { agents } = await started(newPlace(), { agents: [defineAgent({ id: 'a', model: counting() })] })
  const { log } = await agents.create({ agentId: 'a' })
  const halting = new AbortController()
  const checks = [
    { criterion: 'it is wise', passes: () => forever },
    { criterion: 'it is short', passes: () => false },
  ]
  const coming = evaluate({ checks }, 'I counted.', log, halting.signal)
  halting.abort(new Error('enough'))
  expect(await coming).toEqual({ phaseReached: 'evaluate', evaluationPassed: false, unmet: ['it is short'] })
})
