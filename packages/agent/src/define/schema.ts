/** A schema as a host gives it, zod or JSON Schema, as the two things that are needed of one: what a model is told, and a check. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { z } from 'zod'

/** A zod schema, or a JSON Schema. */
export type SchemaSource<T = unknown> = z.ZodType<T> | JsonObject

export interface Schema<T = unknown> {
  /** JSON Schema, as it is sent to a model. */
  readonly json: JsonObject
  /** The value as the schema gives it back, with its defaults; else what is wrong, in words for the model. */
  check(value: unknown): { ok: true; value: T } | { ok: false; why: string }
}

export function schemaOf<T>(source: SchemaSource<T>): Schema<T> {
  const zod = isZod(source) ? source : (z.fromJSONSchema(source as never) as z.ZodType<T>)
  const json = isZod(source) ? (z.toJSONSchema(source, { io: 'input' }) as JsonObject) : source
  return { json, check: (value) => checked(zod, value) }
}

function isZod<T>(source: SchemaSource<T>): source is z.ZodType<T> {
  return '_zod' in source
}

function checked<T>(schema: z.ZodType<T>, value: unknown): ReturnType<Schema<T>['check']> {
  const result = schema.safeParse(value)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, why: result.error.issues.map(faultOf).join('; ') }
}

function faultOf({ path, message }: { path: readonly PropertyKey[]; message: string }): string {
  return path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
}

/** Any value as JSON, as `JSON.stringify` sees it; nothing is null. */
export function toJson(value: unknown): Json {
  const text = JSON.stringify(value)
  return text === undefined ? null : (JSON.parse(text) as Json)
}
