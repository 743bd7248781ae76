import { type TokenBudgetInput, tokenBudget } from '@holdfast/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type ResolvedBudget, resolveBudget } from './budget.ts'

const cases: [string, TokenBudgetInput, Partial<ResolvedBudget>][] = [
  [
    'the default',
    {},
    {
      windowTokens: 128_000,
      outputTokens: 16_384,
      marginTokens: 1_280,
      roomTokens: 110_336,
      triggerTokens: 78_000,
      targetTokens: 51_200,
    },
  ],
  [
    'output is a quarter of a small window',
    { maxContextTokens: 40_000 },
    { outputTokens: 10_000, marginTokens: 400 },
  ],
  ['output as given', { maxOutputTokens: 1_000 }, { outputTokens: 1_000 }],
  ['the margin has a least', { maxContextTokens: 5_000 }, { marginTokens: 100 }],
  ['the margin has a most', { maxContextTokens: 1_000_000 }, { marginTokens: 2_000 }],
  ['the margin as given, even none', { safetyMarginTokens: 0 }, { marginTokens: 0 }],
  [
    'the reserve applies at exactly twice it',
    { maxContextTokens: 100_000 },
    { triggerTokens: 50_000, targetTokens: 40_000 },
  ],
  [
    'below that the fallback percentage, held to the room',
    { maxContextTokens: 99_999 },
    { triggerTokens: 74_999, targetTokens: 39_999 },
  ],
  [
    'the fallback percentage never passes the room',
    { maxContextTokens: 8_000 },
    { roomTokens: 5_900, triggerTokens: 5_900 },
  ],
  ['the legacy percentage only without a reserve', { workingReserveTokens: 0 }, { triggerTokens: 108_800 }],
  ['it is ignored with one', { triggerPercent: 10 }, { triggerTokens: 78_000 }],
  ['a target below 20 % is 20 %', { targetPercent: 5 }, { targetTokens: 25_600 }],
  ['a target above 50 % is 50 %', { targetPercent: 90 }, { targetTokens: 64_000 }],
  [
    'a target is below the trigger',
    { targetPercent: 50, workingReserveTokens: 0, triggerPercent: 30 },
    { triggerTokens: 38_400, targetTokens: 38_399 },
  ],
]

test.each(cases)('%s', (_what, budget, expected) => {
  expect(resolveBudget(tokenBudget.parse(budget))).toMatchObject(expected)
})

test('whatever the budget, the target is below the trigger and the trigger within the room', () => {
  const percent = fc.integer({ min: 1, max: 100 })
  const budgets = fc.record({
    maxContextTokens: fc.integer({ min: 1, max: 2_000_000 }),
    triggerPercent: percent,
    targetPercent: percent,
    fallbackTriggerPercent: percent,
    workingReserveTokens: fc.oneof(fc.constant(0), fc.nat(500_000)),
  })
  fc.assert(
    fc.property(budgets, (budget) => {
      const { targetTokens, triggerTokens, roomTokens } = resolveBudget(tokenBudget.parse(budget))
      expect(targetTokens).toBeLessThan(triggerTokens)
      expect(triggerTokens).toBeLessThanOrEqual(roomTokens)
    }),
  )
})
