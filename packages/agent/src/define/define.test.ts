import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { scriptedModel } from '../testing/index.ts'
import { type AgentInput, defineAgent } from './agent.ts'
import { defineTool } from './tool.ts'

const model = scriptedModel({ script: () => 'Hello.' })

describe('an agent is refused where it is defined, not in its first turn, for', () => {
  const timer = 'expected a whole number from 1 to 2147483647 (25 days).'
  const count = 'expected a whole number from 1 on, or Infinity.'
  const noModel = 'expected a language model, the name of one, or a list of them.'
  it.each<[object, string]>([
    [{ maxRounds: 0 }, `agent a.maxRounds: ${count}`],
    [{ goal: { checks: [], timeoutMs: Infinity } }, `agent a.goal.timeoutMs: ${timer}`],
    [{ maxRounds: Number.NaN }, `agent a.maxRounds: ${count}`],
    [{ maxRounds: '5' }, `agent a.maxRounds: ${count}`],
    [{ maxAttempts: -1 }, `agent a.maxAttempts: ${count}`],
    [{ maxAttempts: 1.5 }, `agent a.maxAttempts: ${count}`],
    [{ model: undefined }, `agent a.model: ${noModel}`],
    [{ model: [model, null] }, `agent a.model: ${noModel}`],
    [{ model: '' }, `agent a.model: ${noModel}`],
    [{ model: Promise.resolve(model) }, `agent a.model: ${noModel}`],
    [{ model: [] }, 'agent a has no model.'],
    [
      { budget: { tokens: 5 } },
      'agent a.budget: unknown key tokens; known are maxContextTokens, maxOutputTokens, strategy, safetyMarginTokens, ' +
        'triggerPercent, targetPercent, workingReserveTokens, fallbackTriggerPercent, maxToolOutputTokens, spend.',
    ],
    [
      { budget: { spend: { euros: 5 } } },
      'agent a.budget.spend: unknown key euros; known are tokens, costMicrocents, wallMs, toolCalls.',
    ],
    [
      { budget: { spend: { tokens: -5 } } },
      'agent a.budget.spend.tokens: Too small: expected number to be >=0.',
    ],
    [{ budget: 5 }, 'agent a.budget: Invalid input: expected object, received number.'],
  ])('%j', (wrong, message) => {
    const define = () => defineAgent({ id: 'a', model, ...wrong } as AgentInput)
    expect(define).toThrow(expect.objectContaining({ code: 'invalid_input', message }))
  })
})

it('an agent may go on without end, be given a model by its name, and have a part of a budget', () => {
  const budget = { maxContextTokens: 8_000, spend: { tokens: 5 } }
  const agent = defineAgent({ id: 'a', model: [model, 'openai/gpt'], maxRounds: Infinity, budget })
  expect(agent).toMatchObject({ models: [model, 'openai/gpt'], maxRounds: Infinity, maxAttempts: 3, budget })
})

it.each([0, -1, 1.5, Number.NaN, Infinity, 2 ** 31])('no timer waits %d ms for a tool', (timeoutMs) => {
  const define = () =>
    defineTool({ name: 'look', description: '', input: z.object({}), execute: () => 1, timeoutMs })
  const message = 'tool look.timeoutMs: expected a whole number from 1 to 2147483647 (25 days).'
  expect(define).toThrow(expect.objectContaining({ code: 'invalid_input', message }))
})
