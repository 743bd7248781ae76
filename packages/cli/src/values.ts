/** Readers of option values. What does not fit is refused with what would. */
import { InvalidArgumentError, Option } from 'commander'
import { nearest } from './nearest.ts'

/** An option with a fixed set of values, which completion knows too. */
export function choice(flags: string, about: string, values: readonly string[]): Option {
  return new Option(flags, about).choices(values).argParser((text) => oneOf(text, values))
}

/** The same, for several values: given again, or with commas between. */
export function choices(flags: string, about: string, values: readonly string[]): Option {
  return new Option(flags, about)
    .choices(values)
    .argParser((text: string, before?: string[]) => [
      ...(before ?? []),
      ...text.split(',').map((part) => oneOf(part.trim(), values)),
    ])
}

function oneOf(text: string, values: readonly string[]): string {
  if (values.includes(text)) return text
  const meant = nearest(text, values)
  throw new InvalidArgumentError(meant ? `\n(Did you mean ${meant}?)` : `\nKnown are ${values.join(', ')}.`)
}

/** An option that may be given again. */
export function several(text: string, before: string[] = []): string[] {
  if (text === '') throw new InvalidArgumentError('Expected a text.')
  return [...before, text]
}

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number.')
}

export function positiveNumber(text: string): number {
  const value = wholeNumber(text)
  if (value > 0) return value
  throw new InvalidArgumentError('Expected a whole number of at least 1.')
}

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** A thousand years: before and after now there is a date for each of them. */
const longestMs = 365_250 * 86_400_000

/** 90s, 30m, 12h, 7d, 4w, in milliseconds. */
export function age(text: string): number {
  const [, digits, unit = ''] = /^(\d+)([smhdw])$/.exec(text) ?? []
  const size = unitMs[unit]
  if (digits === undefined || size === undefined)
    throw new InvalidArgumentError('Expected an age: 90s, 30m, 12h, 7d or 4w.')
  const ms = Number(digits) * size
  if (ms > longestMs) throw new InvalidArgumentError('Expected an age of a thousand years at most.')
  return ms
}

/** An age before now, a date or an ISO time, as an ISO time. What names no zone is in UTC, as all that is shown. */
export function since(text: string, nowMs: number): string {
  if (/^\d+[smhdw]$/.test(text)) return new Date(nowMs - age(text)).toISOString()
  const ms = momentMs(text)
  if (!Number.isNaN(ms)) return new Date(ms).toISOString()
  throw new InvalidArgumentError('Expected an age (7d), a date (2026-11-01) or an ISO time.')
}

const moment = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i

/** NaN for what is no time. `Date.parse` alone makes March of the last days of February. */
function momentMs(text: string): number {
  const [, date, clock = '00:00', zone = 'Z'] = moment.exec(text) ?? []
  const midnight = Date.parse(`${date}T00:00Z`)
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(`${date}T`)) return Number.NaN
  return Date.parse(`${date}T${clock}${zone.replace(/(\d{2})(\d{2})$/, '$1:$2').toUpperCase()}`)
}
