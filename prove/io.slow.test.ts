import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'
import { whyNoShim } from './lib/shim.ts'

const reason = whyNoShim()

test('a disk that fails, once or for ever, is told truly and does not stop the file from going on', {
  timeout: 300_000,
}, async ({ skip }) => {
  if (reason) skip(reason)
  const { status, output } = await prove('io', '--every', '300')
  expect(output).toMatch(/[1-9]\d* faults, [1-9]\d* acked, [1-9]\d* refused, \d+ unknown, 0 lost, 0 other/)
  expect(status, output).toBe(0)
})

test('the audit catches a store that takes a failing commit for one that was not written', {
  timeout: 300_000,
}, async ({ skip }) => {
  if (reason) skip(reason)
  const { status, output } = await prove('io', '--every', '300', '--planted')
  expect(output).toMatch(/0 unknown, 0 lost, [1-9]\d* other faults/)
  expect(status, output).toBe(1)
})
