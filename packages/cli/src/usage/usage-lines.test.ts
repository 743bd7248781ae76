import type { RolledUp } from '@holdfast/core'
import { expect, test } from 'vitest'
import { styleOf } from '../terminal/style.ts'
import { usageCsv, usageLines } from './usage-lines.ts'

const style = styleOf(false)

function group(costMicrocents: number, promptTokens = 1_000): RolledUp {
  return {
    key: {},
    rows: 2,
    promptTokens,
    completionTokens: 10,
    reasoningTokens: 0,
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
    costMicrocents,
    costUnknown: 0,
    costEstimated: 0,
  }
}

test('bars compare costs, and the total has none', () => {
  const rows = [
    { name: 'a', group: group(200_000_000) },
    { name: 'b', group: group(100_000_000) },
  ]
  const [, a, b, total] = usageLines(rows, { title: 'model', style, width: undefined })
  expect(a).toMatch(/\$2\.000 {2}█{20}$/)
  expect(b).toMatch(/\$1\.000 {2}█{10}$/)
  expect(total).toMatch(/^total .*4 .*\$3\.000$/)
})

test('where no cost is known bars compare tokens', () => {
  const rows = [
    { name: 'a', group: { ...group(0, 990), costUnknown: 2 } },
    { name: 'b', group: { ...group(0, 490), costUnknown: 2 } },
  ]
  const [, a, b] = usageLines(rows, { title: 'day', style, width: undefined })
  expect(a).toMatch(/unknown {2}█{20}$/)
  expect(b).toMatch(/unknown {2}█{10}$/)
})

test('CSV quotes what it must, keeps sums exact, and gives no spreadsheet a formula', () => {
  const rows = [
    { name: 'a "b", c', group: group(1) },
    { name: '=1+1', group: group(2) },
  ]
  expect(usageCsv(rows, 'user')).toEqual([
    'user,rows,promptTokens,completionTokens,reasoningTokens,cachedReadTokens,cachedWriteTokens,costMicrocents,costUnknown',
    '"a ""b"", c",2,1000,10,0,0,0,1,0',
    "'=1+1,2,1000,10,0,0,0,2,0",
  ])
})
