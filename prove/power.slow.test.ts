import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { whyNotRecord } from './lib/record.ts'

const reason = whyNotRecord()

test('a power cut at any moment loses nothing that was acknowledged', { timeout: 180_000 }, async ({
  skip,
}) => {
  if (reason) skip(reason)
  const { status, output } = await prove('power', '--images', '200')
  expect(output).toMatch(/[1-9]\d* acked at the end, 0 lost, 0 other faults/)
  expect(status, output).toBe(0)
})

test('the audit catches a store that does not sync every commit', { timeout: 180_000 }, async ({ skip }) => {
  if (reason) skip(reason)
  const { status, output } = await prove('power', '--images', '30', '--durability', 'normal')
  expect(output).toMatch(/[1-9]\d* lost, 0 other faults/)
  expect(status, output).toBe(1)
})
