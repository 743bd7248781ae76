import { expect, test } from 'vitest'
import { points } from './lib/points.ts'
import { prove } from './lib/prove.ts'

test('a writer that is killed at any moment loses nothing it acknowledged', {
  timeout: 600_000,
}, async () => {
  const { status, output, summary } = await prove('kill', '--cycles', '100')
  expect(summary.faults, output).toEqual({ lost: 0, duplicated: 0, reordered: 0, wrong: 0 })
  expect(summary.counted.acked).toBeGreaterThan(0)
  expect(summary.counted['unknown settled']).toBeGreaterThan(0)
  expect(summary.counted['with a writer thread']).toBeGreaterThan(0)
  for (const point of points) expect(output).toMatch(new RegExp(`${point}: [1-9]`))
  expect(status, output).toBe(0)
})

test('the audit catches a writer that acknowledges before it commits', async () => {
  const { status, output, summary } = await prove('kill', '--cycles', '8', '--planted')
  expect(summary.faults.lost, output).toBeGreaterThan(0)
  expect(status, output).toBe(1)
})
