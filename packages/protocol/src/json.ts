import { z } from 'zod'
import { onUse } from './on-use.ts'

/** Any JSON value. Numbers are finite; integers lie within ±(2⁵³−1) (the scanner refuses the rest). */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/*
 * These schemas look at the outside of a value only: the scanner (`scan.ts`) walks every body anyway, and a second
 * walk by `z.json()` took 2.4 ms for a tool output of 93 KiB. What they return is the caller's own value, not a copy.
 */

/** Present: any value but `undefined`. */
export const json: z.ZodType<Json> = onUse(
  () =>
    z
      .unknown()
      .refine((value) => value !== undefined, 'required')
      .meta({ description: 'Any JSON value' }) as z.ZodType<Json>,
)

export const jsonObject: z.ZodType<JsonObject> = onUse(
  () => z.unknown().refine(isObject, 'expected an object').meta({ type: 'object' }) as z.ZodType<JsonObject>,
)

/** Keys that merges and property writes lose or obey. Refused wherever the keys are ours. */
export const unsafeKeys = ['__proto__', 'constructor', 'prototype'] as const

/** An object with keys of ours. `z.record` alone would drop a `__proto__` key without a word. */
export function recordOf<V extends z.ZodType>(value: V) {
  return z.preprocess(
    (input, context) => {
      if (isObject(input) && unsafeKeys.some((key) => Object.hasOwn(input, key)))
        context.addIssue('unsafe key')
      return input
    },
    z.record(z.string(), value),
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
