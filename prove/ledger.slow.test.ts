import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('the ledger agrees with a known bill after every step, whatever crashes', {
  timeout: 600_000,
}, async () => {
  const { status, output } = await prove('ledger', '--attempts', '2000')
  expect(output).toMatch(
    /2,\d{3} attempts, [\d,]+ steps, [1-9]\d* crashes, [1-9][\d,]* of unknown cost; faults: 0 wrong/,
  )
  expect(status, output).toBe(0)
})

test('the proof catches a process that bills again what it sends again', async () => {
  const { status, output } = await prove('ledger', '--attempts', '2000', '--planted')
  expect(output).toMatch(/faults: [1-9]\d* wrong/)
  expect(status, output).toBe(1)
})
