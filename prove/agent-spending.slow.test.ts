import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('what agents spend is the bill of their provider', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-ledger', '--attempts', '5000')
  expect(summary.faults, output).toEqual({ wrong: 0 })
  for (const way of ['busy', 'unknown', 'cut', 'broken', 'hang', 'of children'])
    expect(summary.counted[way], way).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test('a client that tries again unseen is caught', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-ledger', '--attempts', '200', '--planted')
  expect(summary.faults.wrong, output).toBeGreaterThan(0)
  expect(status).toBe(1)
})

test('children that spend at once never pass a budget of money', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-budget', '--trees', '24')
  expect(summary.faults, output).toEqual({ passed: 0, 'not the bill': 0 })
  expect(summary.counted['ended at the limit']).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test('calls that reserve nothing are caught', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-budget', '--trees', '2', '--planted')
  expect(summary.faults.passed, output).toBeGreaterThan(0)
  expect(status).toBe(1)
})
