/** A schema as a host gives it, zod or JSON Schema, as the two things that are needed of one: what a model is told, and a check. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { z } from 'zod'
import { messageOf } from '../message-of.ts'

/**
 * A zod schema whose rules answer at once, or a JSON Schema. One that says what zod has no words for (conditions, references
 * to elsewhere than its definitions, patterns of another language) is told to the model as it is, and any object fits it.
 */
export type SchemaSource<T = unknown> = z.ZodType<T> | JsonObject

export interface Schema<T = unknown> {
  /** JSON Schema, as it is sent to a model. */
  readonly json: JsonObject
  /** The value as the schema gives it back, with its defaults; else what is wrong, in words for the model. */
  check(value: unknown): { ok: true; value: T } | { ok: false; why: string }
}

export function schemaOf<T>(source: SchemaSource<T>): Schema<T> {
  const zod = isZod(source) ? source : (ofJsonSchema(source) as z.ZodType<T>)
  const json = isZod(source) ? (z.toJSONSchema(source, { io: 'input' }) as JsonObject) : source
  return { json, check: (value) => checked(zod, value) }
}

function isZod<T>(source: SchemaSource<T>): source is z.ZodType<T> {
  return '_zod' in source
}

/** Definitions of older drafts are found without the name of the draft. */
function ofJsonSchema(source: JsonObject): z.ZodType {
  return converted(source) ?? converted(source, 'draft-7') ?? anyOfType(source)
}

type Draft = NonNullable<Parameters<typeof z.fromJSONSchema>[1]>['defaultTarget']

/** Undefined: zod has no words for it. */
function converted(source: JsonObject, defaultTarget: Draft = 'draft-2020-12'): z.ZodType | undefined {
  try {
    return z.fromJSONSchema(source as never, { defaultTarget })
  } catch {
    return undefined
  }
}

function anyOfType({ type = 'object' }: JsonObject): z.ZodType {
  return z.fromJSONSchema({ type } as never)
}

/** A schema that fails over a value has not found that it fits. */
function checked<T>(schema: z.ZodType<T>, value: unknown): ReturnType<Schema<T>['check']> {
  try {
    const result = schema.safeParse(value)
    if (result.success) return { ok: true, value: result.data }
    return { ok: false, why: result.error.issues.map(faultOf).join('; ') }
  } catch (error) {
    return { ok: false, why: `it cannot be checked: ${failureOf(error)}` }
  }
}

function failureOf(error: unknown): string {
  if (error instanceof z.core.$ZodAsyncError)
    return 'its schema has an asynchronous rule, which is not supported'
  return messageOf(error)
}

function faultOf({ path, message }: { path: readonly PropertyKey[]; message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
}

/** Any value as JSON, as `JSON.stringify` sees it; nothing is null. */
export function toJson(value: unknown): Json {
  const text = JSON.stringify(value)
  return text === undefined ? null : (JSON.parse(text) as Json)
}
