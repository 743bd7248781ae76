import { HoldfastError } from './errors.ts'
import { type LimitName, limits } from './limits.ts'
import { utf8Bytes } from './utf8.ts'

/** Throws `limit_exceeded` when `actual` is above the row of the limits table. */
export function checkLimit(limit: LimitName, actual: number, what: string): void {
  if (actual > limits[limit]) throw limitExceeded(limit, actual, what)
}

/** The same for the UTF-8 size of a text, which is counted only when the text could be too long. */
export function checkBytes(limit: LimitName, text: string, what: string): void {
  if (text.length * 3 <= limits[limit]) return
  checkLimit(limit, text.length > limits[limit] ? text.length : utf8Bytes(text), what)
}

/** `actual` may be less than the whole: a check stops where it first passes the limit. */
export function limitExceeded(limit: LimitName, actual: number, what: string): HoldfastError {
  const max = limits[limit]
  return new HoldfastError('limit_exceeded', `${what}: ${actual} is more than ${limit} allows (${max}).`, {
    details: { limit, max, actual },
  })
}

/** The sum of two counts; throws `limit_exceeded` when a number would not hold it exactly. */
export function addCounts(a: number, b: number, what: string): number {
  const sum = a + b
  if (sum > limits.sum) throw limitExceeded('sum', sum, what)
  return sum
}
