import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { whyNoShim } from './lib/shim.ts'

const reason = whyNoShim()

test('a power cut at any moment loses nothing that was acknowledged', { timeout: 600_000 }, async ({
  skip,
}) => {
  if (reason) skip(reason)
  const { status, output, summary } = await prove('power', '--images', '20000')
  expect(summary.faults, output).toEqual({ lost: 0, wrong: 0 })
  expect(summary.counted.acked).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test.for(['normal', 'off'])(
  'the audit catches a store whose commits are not synced: %s',
  {
    timeout: 600_000,
  },
  async (durability, { skip }) => {
    if (reason) skip(reason)
    const { status, output, summary } = await prove('power', '--images', '30', '--durability', durability)
    expect(summary.faults.lost, output).toBeGreaterThan(0)
    expect(status, output).toBe(1)
  },
)
