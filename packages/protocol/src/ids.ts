import { V7Generator } from 'uuidv7'
import { z } from 'zod'
import { onUse } from './on-use.ts'
import { parseInput } from './parse-input.ts'

/**
 * Ids that Holdfast names things by: 1–128 characters of `A–Z a–z 0–9 _ . @ -`, starting with a letter, a digit or `_`.
 * No slash, colon, space or other character, so an id is safe in a URL path, a cursor and a log line.
 */
export const idPattern = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,127}$/

/** Names given by other systems (users, agents, models, tool calls): 1–256 code units, no control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern refuses control characters
export const externalIdPattern = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,256}$/u

export const id = onUse(() => z.string().regex(idPattern))
export const externalId = onUse(() =>
  z
    .string()
    .regex(externalIdPattern)
    .refine((value) => value.trim() !== '', 'blank'),
)

/** A chosen message id never looks like a seq, because a message without a chosen id is named by its seq. */
export const messageId = onUse(() =>
  id.refine((value) => !/^\d+$/.test(value), 'a chosen message id must not be a number'),
)

declare const tenantBrand: unique symbol
/** The only key to stored data. Made by `tenantId()` alone, so that no query exists without one. */
export type TenantId = string & { readonly [tenantBrand]: true }

/** The same as `id.safeParse(value).success`, which takes several times as long. */
export function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

/** Checks and brands a tenant id. Throws `invalid_input` on a blank or malformed one. */
export function tenantId(value: string): TenantId {
  return (isId(value) ? value : parseInput(id, value, 'tenantId')) as TenantId
}

export const DEFAULT_TENANT = tenantId('default')

/** Source of ids. Each call gives a new one. */
export interface Ids {
  next(): string
}

/**
 * UUIDv7 ids in rising order. `randomUint32` gives integers in [0, 2³²) and is used instead of the platform's source, which
 * takes milliseconds to load: it is not asked before the first id is.
 */
export function uuidv7Ids(now: () => number, randomUint32?: () => number): Ids {
  let generator: V7Generator | undefined
  return {
    next() {
      generator ??= new V7Generator(randomUint32 && { nextUint32: randomUint32 })
      return generator.generateOrResetCore(Math.floor(now()), 10_000).toString()
    },
  }
}
