import { z } from 'zod'
import { onUse } from './on-use.ts'

/** ISO-8601 in UTC with `Z`; up to nine fractional digits are kept as they came. Years 1970–9999. */
export const timePattern = /^(19[7-9]\d|[2-9]\d{3})-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/

export const time = onUse(() => z.string().regex(timePattern).refine(isOnCalendar, 'not a date'))

/** As `time` says, without the work of a schema. */
export function isTime(value: unknown): value is string {
  return typeof value === 'string' && timePattern.test(value) && isOnCalendar(value)
}

const start = '1970-01-01T00:00:00.000Z'
let latest = { ms: 0, text: start }

/** Milliseconds since 1970 as the wire form: of those that come one after another most are the same, or of one second. */
export function toTime(ms: number): string {
  if (ms !== latest.ms) latest = { ms, text: inLatestSecond(ms) ?? new Date(ms).toISOString() }
  return latest.text
}

/** Behind the last time that the wire form knows. */
const end = Date.UTC(10_000, 0)

/** Undefined when it is not of the second of the latest. Only its milliseconds are written: a tenth of the work. */
function inLatestSecond(ms: number): string | undefined {
  if (!Number.isInteger(latest.ms) || latest.ms < 0 || latest.ms >= end) return undefined
  const begun = latest.ms - (latest.ms % 1_000)
  const beyond = ms - begun
  if (!(beyond >= 0 && beyond < 1_000 && Number.isInteger(beyond))) return undefined
  return `${latest.text.slice(0, -4)}${String(beyond).padStart(3, '0')}Z`
}

/** The wire form as milliseconds since 1970; finer digits are dropped. */
export function toMs(value: string): number {
  return value.length === start.length ? fromDigits(value) : Date.parse(value)
}

/** Of a time with milliseconds, as we write them ourselves. */
function fromDigits(value: string): number {
  const year = twoDigits(value, 0) * 100 + twoDigits(value, 2)
  const ms = twoDigits(value, 20) * 10 + value.charCodeAt(22) - 48
  return Date.UTC(
    year,
    twoDigits(value, 5) - 1,
    twoDigits(value, 8),
    twoDigits(value, 11),
    twoDigits(value, 14),
    twoDigits(value, 17),
    ms,
  )
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
