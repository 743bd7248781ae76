import { expect, test } from 'vitest'
import { isTime, time, toMs, toTime } from './index.ts'

test('a time is UTC with a Z and keeps up to nine digits as they came', () => {
  for (const good of ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59.123456789Z', '9999-12-31T23:59:59.9Z']) {
    expect(time.parse(good)).toBe(good)
    expect(isTime(good)).toBe(true)
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
  for (const text of bad) expect([time.safeParse(text).success, isTime(text)], text).toEqual([false, false])
  for (const other of [undefined, null, 1_704_067_200_000, new Date()]) expect(isTime(other)).toBe(false)
})

test('milliseconds come back from the wire form, in any order of asking', () => {
  const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
  const steps = Array.from({ length: 10_000 }, (_, n) => Math.floor((last / 10_000) * n))
  const near = [0, 1, 999, 1_000, 1_001, 1_999, 1_500, 3_000, 2_999, 2_000, 60_000, 59_007, 59_070, 59_000]
  for (const ms of [...steps, last, 0, last, last, 951_782_400_000, 1_709_251_199_999, ...near]) {
    const text = toTime(ms)
    expect(text).toBe(new Date(ms).toISOString())
    expect(toMs(text)).toBe(ms)
  }
})

test('a time before 1970, or between two milliseconds, is written as the calendar has it', () => {
  const fractions = [-0.5, -1, -1_000.5, -1_500, 1_500.5, 1_500, 1_999.5]
  for (const ms of [-1_500, -900, -1, 0, 1_500.5, 1_500, -1_000, -1_001, -2_000, ...fractions, 8.64e15]) {
    expect(toTime(ms)).toBe(new Date(ms).toISOString())
  }
  for (const none of [Number.NaN, 8.64e15 + 1]) expect(() => toTime(none)).toThrow(RangeError)
})

test('what is finer or coarser than milliseconds is read as milliseconds', () => {
  expect(toMs('2024-02-29T23:59:59Z')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59))
  expect(toMs('2024-02-29T23:59:59.9Z')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 900))
  expect(toMs('2024-02-29T23:59:59.123456789Z')).toBe(Date.UTC(2024, 1, 29, 23, 59, 59, 123))
})
