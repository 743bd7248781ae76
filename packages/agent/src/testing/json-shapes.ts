/** Looks at JSON that someone else wrote. */
import type { Json, JsonObject } from '@holdfast/protocol'

export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

/** Its objects; a value that is no list has none. */
export function objectsIn(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

export function repeated(values: readonly string[]): string | undefined {
  return values.find((value, i) => values.indexOf(value) < i)
}
