import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { whyNoShim } from './lib/shim.ts'

const reason = whyNoShim()

test('a disk that fails, once or for ever, is told truly and does not stop the file from going on', {
  timeout: 600_000,
}, async ({ skip }) => {
  if (reason) skip(reason)
  const { status, output, summary } = await prove('io', '--every', '600')
  expect(summary.faults, output).toEqual({ lost: 0, wrong: 0 })
  for (const name of ['failures', 'acked', 'refused']) expect(summary.counted[name], name).toBeGreaterThan(0)
  expect(status, output).toBe(0)
})

test('the audit catches a store that takes a failing commit for one that was not written', {
  timeout: 600_000,
}, async ({ skip }) => {
  if (reason) skip(reason)
  const { status, output, summary } = await prove('io', '--every', '4', '--planted')
  expect(summary.counted.unknown, output).toBe(0)
  expect(summary.faults).toEqual({ lost: 0, wrong: expect.any(Number) })
  expect(summary.faults.wrong).toBeGreaterThan(0)
  expect(status, output).toBe(1)
})
