import { z } from 'zod'
import { onUse } from './on-use.ts'

/** ISO-8601 in UTC with `Z`; up to nine fractional digits are kept as they came. Years 1970–9999. */
export const timePattern = /^(19[7-9]\d|[2-9]\d{3})-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/

export const time = onUse(() => z.string().regex(timePattern).refine(isOnCalendar, 'not a date'))

/** Milliseconds since 1970 as the wire form. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** The wire form as milliseconds since 1970; finer digits are dropped. */
export function toMs(value: string): number {
  return Date.parse(value)
}

/** The pattern lets 30 February and 25:00 pass. Looked at as digits: `Date.parse` takes ten times as long. */
function isOnCalendar(value: string): boolean {
  const month = twoDigits(value, 5)
  if (month < 1 || month > 12) return false
  const isLeap = month === 2 && isLeapYear(twoDigits(value, 0) * 100 + twoDigits(value, 2))
  const day = twoDigits(value, 8)
  if (day < 1 || day > (monthDays[month - 1] as number) + (isLeap ? 1 : 0)) return false
  return twoDigits(value, 11) < 24 && twoDigits(value, 14) < 60 && twoDigits(value, 17) < 60
}

const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function twoDigits(value: string, at: number): number {
  return (value.charCodeAt(at) - 48) * 10 + value.charCodeAt(at + 1) - 48
}
