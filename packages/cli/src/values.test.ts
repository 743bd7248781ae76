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

test('counts are whole', () => {
  expect([wholeNumber('0'), positiveNumber('25')]).toEqual([0, 25])
  for (const text of ['-1', '1.5', 'many', '', '1e3'])
    expect(() => wholeNumber(text)).toThrow(InvalidArgumentError)
  expect(() => positiveNumber('0')).toThrow(InvalidArgumentError)
})
