import { z } from 'zod'

/** ISO-8601 in UTC with `Z`; up to nine fractional digits are kept as they came. Years 1970–9999. */
export const timePattern = /^(19[7-9]\d|[2-9]\d{3})-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/

export const time = z.string().regex(timePattern).refine(isOnCalendar, 'not a date')

/** Milliseconds since 1970 as the wire form. */
export function toTime(ms: number): string {
  return new Date(ms).toISOString()
}

/** The wire form as milliseconds since 1970; finer digits are dropped. */
export function toMs(value: string): number {
  return Date.parse(value)
}

/** `Date.parse` reads 30 February as 1 March and 24:00 as the next day; both are refused here. */
function isOnCalendar(value: string): boolean {
  const ms = Date.parse(value)
  return (
    !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(value.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length))
  )
}
