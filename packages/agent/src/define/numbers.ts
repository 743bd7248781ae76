/** Numbers as a host gives them; others would break the turns that they are for. */
import { z } from 'zod'

const longestTimerMs = 2 ** 31 - 1

export const timerMs = z.custom<number>(
  (value) => isFromOne(value) && value <= longestTimerMs,
  `expected a whole number from 1 to ${longestTimerMs} (25 days)`,
)

export const atMost = z.custom<number>(
  (value) => value === Infinity || isFromOne(value),
  'expected a whole number from 1 on, or Infinity',
)

function isFromOne(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1
}
