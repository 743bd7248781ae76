import { expect, test } from 'vitest'
import { points } from './lib/points.ts'
import { prove } from './lib/prove.ts'

test('a writer that is killed at any moment loses nothing it acknowledged', {
  timeout: 180_000,
}, async () => {
  const { status, output } = await prove('kill', '--cycles', '40')
  expect(output).toMatch(
    /[1-9]\d* acked, 0 lost, 0 duplicated, 0 reordered, [1-9]\d* unknown settled, 0 other faults/,
  )
  for (const point of points) expect(output).toMatch(new RegExp(`${point}: [1-9]`))
  expect(status, output).toBe(0)
})

test('the audit catches a writer that acknowledges before it commits', async () => {
  const { status, output } = await prove('kill', '--cycles', '8', '--planted')
  expect(output).toMatch(/[1-9]\d* lost/)
  expect(status, output).toBe(1)
})
