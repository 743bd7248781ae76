import { expect, test } from 'vitest'
import { time, toMs, toTime } from './index.ts'

test('a time is UTC with a Z and keeps up to nine digits as they came', () => {
  for (const good of ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59.123456789Z', '9999-12-31T23:59:59.9Z']) {
    expect(time.parse(good)).toBe(good)
  }
})

test('a time outside the form or the calendar is refused', () => {
  const bad = [
    '1969-12-31T23:59:59Z',
    '2024-01-01',
    '2024-01-01T00:00:00',
    '2024-01-01T00:00:00+00:00',
    '2024-1-1T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2024-04-31T00:00:00Z',
    '2024-13-01T00:00:00Z',
    '2024-01-01T24:00:00Z',
    '2024-12-31T23:59:60Z',
    '2024-01-01T00:00:00.0123456789Z',
    '2024-01-01t00:00:00z',
    ' 2024-01-01T00:00:00Z',
  ]
  for (const text of bad) expect(time.safeParse(text).success, text).toBe(false)
})

test('milliseconds come back from the wire form', () => {
  expect(toMs(toTime(1_700_000_000_123))).toBe(1_700_000_000_123)
})
