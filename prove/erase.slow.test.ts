import { expect, test } from 'vitest'
import { prove } from './lib/prove.ts'

test('what is forgotten is nowhere any more, and nothing else is lost', { timeout: 600_000 }, async () => {
  const { status, output } = await prove('erase', '--rounds', '12')
  expect(output).toMatch(
    /[1-9][\d,]* canaries, [1-9][\d,]* to go, [1-9]\d* processes killed; faults: 0 left, 0 lost, 0 wrong/,
  )
  expect(status, output).toBe(0)
})

test('the search catches a store that is not scrubbed, and one that keeps files', {
  timeout: 600_000,
}, async () => {
  const { status, output } = await prove('erase', '--rounds', '6', '--planted')
  expect(output).toMatch(/left: round 1: .* in holdfast\.db/)
  expect(output).toMatch(/left: round [246]: file in holdfast\.db/)
  expect(status, output).toBe(1)
})
