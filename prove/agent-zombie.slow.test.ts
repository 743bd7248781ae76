import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('a worker that wakes when another has its turn writes nothing that is taken', {
  timeout: 600_000,
}, async () => {
  const { status, output, summary } = await prove('agent-zombie', '--zombies', '40')
  expect(summary.faults, output).toEqual({
    ...{ 'stale writes': 0, refused: 0, 'left running': 0, 'ran twice': 0, 'ends amiss': 0, wrong: 0 },
  })
  expect(summary.counted['taken over']).toBeGreaterThan(10)
  expect(status, output).toBe(0)
})

test('a store that lets go of the fence is caught', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('agent-zombie', '--zombies', '8', '--planted')
  expect(summary.faults['stale writes'], output).toBeGreaterThan(0)
  expect(status).toBe(1)
})
