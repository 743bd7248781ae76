import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('a flipped bit in any file is harmless or found out', { timeout: 300_000 }, async () => {
  const { status, output } = await prove('flip', '--flips', '500')
  expect(output).toMatch(/[1-9]\d* harmless, [1-9]\d* detected .*, 0 wrong/)
  expect(status, output).toBe(0)
})

test('the reading catches a store that does not look at the checksums of its events', {
  timeout: 180_000,
}, async () => {
  const { status, output } = await prove('flip', '--flips', '120', '--planted')
  expect(output).toMatch(/[1-9]\d* wrong/)
  expect(status, output).toBe(1)
})
