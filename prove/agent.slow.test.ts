import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('a turn goes on or ends, whenever its process dies', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent', '--turns', '200', '--every', '2')
  expect(summary.faults, output).toEqual({
    ...{ refused: 0, 'left running': 0, 'ran twice': 0, 'ends amiss': 0, wrong: 0 },
  })
  expect(summary.counted.points).toBeGreaterThanOrEqual(40)
  expect(summary.counted.kills).toBeGreaterThan(30)
  expect(status, output).toBe(0)
})

test.each([
  ['a tool that runs again', 'rerun', 'ran twice'],
  ['runs that nobody looks for', 'abandoned', 'left running'],
  ['results that are left out', 'dropped', 'refused'],
])('%s: caught', { timeout: 600_000 }, async (_what, planted, fault) => {
  const { status, output, summary } = await prove('agent', '--turns', '0', '--planted', planted)
  expect(summary.faults[fault], output).toBeGreaterThan(0)
  expect(status, output).toBe(1)
})
