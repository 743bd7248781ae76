import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { whyNoShim } from './lib/shim.ts'

const reason = whyNoShim()

test('a power cut at any moment loses nothing that was acknowledged', { timeout: 600_000 }, async ({
  skip,
}) => {
  if (reason) skip(reason)
  const { status, output } = await prove('power', '--images', '20000')
  expect(output).toMatch(/[1-9]\d* acked at the end, 0 lost, 0 other faults/)
  expect(status, output).toBe(0)
})

test.for(['normal', 'off'])(
  'the audit catches a store whose commits are not synced: %s',
  {
    timeout: 180_000,
  },
  async (durability, { skip }) => {
    if (reason) skip(reason)
    const { status, output } = await prove('power', '--images', '30', '--durability', durability)
    expect(output).toMatch(/[1-9]\d* lost, \d+ other faults/)
    expect(status, output).toBe(1)
  },
)
