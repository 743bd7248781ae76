import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('a flipped bit in any file is harmless or found out', { timeout: 600_000 }, async () => {
  const { status, output, summary } = await prove('flip', '--flips', '500')
  expect(summary.faults, output).toEqual({ wrong: 0 })
  for (const name of ['harmless', 'detected']) expect(summary.counted[name], name).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test('the reading catches a store that does not look at the checksums of its events', {
  timeout: 600_000,
}, async () => {
  const { status, output, summary } = await prove('flip', '--flips', '60', '--planted')
  expect(summary.faults.wrong, output).toBeGreaterThan(0)
  expect(status, output).toBe(1)
})
