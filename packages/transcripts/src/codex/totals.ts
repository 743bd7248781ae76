/** The figures that Codex counts with. */
import type { JsonObject } from '@holdfast/protocol'

export const fields = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'output_tokens',
  'reasoning_output_tokens',
] as const

export type Totals = Record<(typeof fields)[number], number>

export const nothing: Totals = {
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
}

export function isSame(one: Totals, other: Totals): boolean {
  return fields.every((field) => one[field] === other[field])
}

export function isWithin(part: Totals, whole: Totals): boolean {
  return fields.every((field) => part[field] <= whole[field])
}

export function less(totals: Totals, before: Totals): Totals {
  return Object.fromEntries(fields.map((field) => [field, totals[field] - before[field]])) as Totals
}

/** Undefined: they are no counts. */
export function totalsOf(usage: JsonObject | undefined): Totals | undefined {
  if (!usage) return undefined
  const found = fields.map((field) => [field, usage[field] ?? 0] as const)
  const isSound = found.every(
    ([, value]) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
  )
  return isSound ? (Object.fromEntries(found) as Totals) : undefined
}
