import { InvalidArgumentError } from 'commander'
import { expect, test } from 'vitest'
import { age, positiveNumber, since, wholeNumber } from './values.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')

test('ages have a unit', () => {
  expect([age('90s'), age('30m'), age('12h'), age('7d'), age('4w')]).toEqual([
    90_000, 1_800_000, 43_200_000, 604_800_000, 2_419_200_000,
  ])
  for (const text of ['7', 'd', '-1d', '1.5d', '7 days'])
    expect(() => age(text)).toThrow(InvalidArgumentError)
})

test('since takes an age, a date or a time', () => {
  expect(since('1d', nowMs)).toBe('2026-11-20T12:00:00.000Z')
  expect(since('2026-11-01', nowMs)).toBe('2026-11-01T00:00:00.000Z')
  expect(since('2026-11-01T10:00:00+01:00', nowMs)).toBe('2026-11-01T09:00:00.000Z')
  for (const text of ['yesterday', '11/01/2026', '2026-13-01', '']) expect(() => since(text, nowMs)).toThrow()
})

test('a time without a zone is in UTC, as every time that is shown', () => {
  for (const text of ['2026-02-23T12:30', '2026-02-23 12:30', '2026-02-23T12:30Z', '2026-02-23T13:30+0100'])
    expect(since(text, nowMs)).toBe('2026-02-23T12:30:00.000Z')
  expect(since('2026-02-23T12:30:05.25-02:00', nowMs)).toBe('2026-02-23T14:30:05.250Z')
})

test('a day that no calendar has, what follows a date, and an age beyond all dates are refused', () => {
  for (const text of [
    '2026-02-31',
    '2026-02-01 (foo',
    '2026-02-01T25:00',
    '2026-02-01T12:00+99:99',
    '2026-02-01T',
  ])
    expect(() => since(text, nowMs)).toThrow(InvalidArgumentError)
  for (const text of ['999999999w', '99999999999w', '400000d']) {
    expect(() => age(text)).toThrow(InvalidArgumentError)
    expect(() => since(text, nowMs)).toThrow(InvalidArgumentError)
  }
  expect(age('36500d')).toBe(36_500 * 86_400_000)
})

test('counts are whole', () => {
  expect([wholeNumber('0'), positiveNumber('25')]).toEqual([0, 25])
  for (const text of ['-1', '1.5', 'many', '', '1e3'])
    expect(() => wholeNumber(text)).toThrow(InvalidArgumentError)
  expect(() => positiveNumber('0')).toThrow(InvalidArgumentError)
})
