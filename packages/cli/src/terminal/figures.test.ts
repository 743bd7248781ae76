import { expect, test } from 'vitest'
import { bar } from './bar.ts'
import { ago, bytes, count, dollars, duration, money, shortCount } from './figures.ts'

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1.00k'],
  [12_345, '12.3k'],
  [999_600, '1.00M'],
  [4_560_000, '4.56M'],
])('%i is %s', (value, text) => {
  expect(shortCount(value)).toBe(text)
})

test('a sum that misses attempts is a lower bound, one that misses all is unknown', () => {
  expect(money({ costMicrocents: 14_355_725, costUnknown: 0 })).toBe('$0.144')
  expect(money({ costMicrocents: 14_355_725, costUnknown: 2 })).toBe('≥$0.144')
  expect(money({ costMicrocents: 0, costUnknown: 2 })).toBe('unknown')
  expect(money({ costMicrocents: 0, costUnknown: 0 })).toBe('$0.00')
})

test('cents that are small are not rounded away', () => {
  expect(dollars(22_000)).toBe('$0.0002')
  expect(dollars(12_345_678_900)).toBe('$123.46')
  expect(dollars(-14_355_725)).toBe('-$0.144')
})

test('bytes, durations and counts have their units', () => {
  expect([bytes(512), bytes(983_040), bytes(5_368_709_120)]).toEqual(['512 B', '960 KiB', '5.00 GiB'])
  expect([duration(4_200), duration(125_000), duration(12_000_000)]).toEqual([
    '4 s',
    '2 min 05 s',
    '3 h 20 min',
  ])
  expect([count(1, 'file'), count(1_200, 'file')]).toEqual(['1 file', '1,200 files'])
})

test('a week ago is a date', () => {
  const nowMs = Date.parse('2026-11-21T12:00:00Z')
  expect(ago('2026-11-21T11:59:30Z', nowMs)).toBe('just now')
  expect(ago('2026-11-21T11:10:00Z', nowMs)).toBe('50 min ago')
  expect(ago('2026-11-19T12:00:00Z', nowMs)).toBe('2 d ago')
  expect(ago('2026-11-14T11:00:00Z', nowMs)).toBe('2026-11-14')
})

test('a bar is as long as its share, and what is not nothing is seen', () => {
  expect(bar(1, 4)).toBe('████')
  expect(bar(0.625, 4)).toBe('██▌')
  expect(bar(0.0001, 4)).toBe('▏')
  expect(bar(0, 4)).toBe('')
})
