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

/** 90s, 30m, 12h, 7d, 4w, in milliseconds. */
export function age(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  const size = unitMs[unit]
  if (digits === undefined || size === undefined) {
    throw new InvalidArgumentError('Expected an age: 90s, 30m, 12h, 7d or 4w.')
  }
  return Number(digits) * size
}

/** An age before now, a date or an ISO time, as an ISO time. */
export function since(text: string, nowMs: number): string {
  if (/^\d+[smhdw]$/.test(text)) return new Date(nowMs - age(text)).toISOString()
  const ms = Date.parse(text)
  if (/^\d{4}-\d{2}-\d{2}/.test(text) && !Number.isNaN(ms)) return new Date(ms).toISOString()
  throw new InvalidArgumentError('Expected an age (7d), a date (2026-11-01) or an ISO time.')
}
