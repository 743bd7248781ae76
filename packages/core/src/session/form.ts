/**
 * The part of JSON Schema that a question's form may use. It is small on purpose: what a form says is checked to the
 * letter, and a keyword that this file does not know is refused when the question is asked, never skipped.
 */
import type { Json, JsonObject } from '@holdfast/protocol'

type Check = (limit: Json, value: Json, form: JsonObject) => string | undefined

/** Faults are words about the form, never about the content of the answer. */
const checks: Record<string, Check> = {
  type: (types, value) =>
    listOf(types).some((type) => isOfType(value, type)) ? undefined : `must be ${listOf(types).join(' or ')}`,
  enum: (values, value) =>
    listOf(values).some((item) => equal(item, value)) ? undefined : 'must be one of the listed values',
  const: (wanted, value) => (equal(wanted, value) ? undefined : 'must be the one listed value'),
  minLength: (least, value) =>
    lengthOf(value) < Number(least) ? `must have at least ${least} characters` : undefined,
  maxLength: (most, value) =>
    lengthOf(value, 0) > Number(most) ? `must have at most ${most} characters` : undefined,
  minimum: (least, value) =>
    typeof value === 'number' && value < Number(least) ? `must be at least ${least}` : undefined,
  maximum: (most, value) =>
    typeof value === 'number' && value > Number(most) ? `must be at most ${most}` : undefined,
  exclusiveMinimum: (least, value) =>
    typeof value === 'number' && value <= Number(least) ? `must be more than ${least}` : undefined,
  exclusiveMaximum: (most, value) =>
    typeof value === 'number' && value >= Number(most) ? `must be less than ${most}` : undefined,
  minItems: (least, value) =>
    Array.isArray(value) && value.length < Number(least) ? `must have at least ${least} items` : undefined,
  maxItems: (most, value) =>
    Array.isArray(value) && value.length > Number(most) ? `must have at most ${most} items` : undefined,
  items: (form, value) =>
    Array.isArray(value) ? firstFault(value.map((item, i) => [`[${i}]`, form, item])) : undefined,
  required: (names, value) => {
    const missing = isObject(value)
      ? listOf(names).find((name) => !Object.hasOwn(value, String(name)))
      : undefined
    return missing === undefined ? undefined : `.${missing} is required`
  },
  properties: (forms, value) => {
    if (!isObject(value) || !isObject(forms)) return undefined
    const given = Object.keys(forms).filter((name) => Object.hasOwn(value, name))
    return firstFault(given.map((name) => [`.${name}`, forms[name] as Json, value[name] as Json]))
  },
  additionalProperties: (rest, value, form) => {
    if (!isObject(value) || rest === true) return undefined
    const known = isObject(form.properties) ? form.properties : {}
    const others = Object.keys(value).filter((name) => !Object.hasOwn(known, name))
    if (rest === false) return others.length > 0 ? 'has a property that the form does not list' : undefined
    return firstFault(others.map((name) => ['.*', rest, value[name] as Json]))
  },
}

/** Words about a form that decide nothing. */
const remarks: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'examples',
  'format',
  'enumNames',
  '$schema',
  '$id',
  '$comment',
])

const types: ReadonlySet<string> = new Set([
  'object',
  'array',
  'string',
  'number',
  'integer',
  'boolean',
  'null',
])

/** What each keyword's own value must be. */
const shapes: Record<string, (value: Json) => boolean> = {
  type: (value) => listOf(value).length > 0 && listOf(value).every((type) => types.has(String(type))),
  enum: Array.isArray,
  const: () => true,
  required: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  properties: isObject,
  items: isObject,
  additionalProperties: (value) => typeof value === 'boolean' || isObject(value),
}

/** Why `form` cannot be a form, or undefined. */
export function formFault(form: JsonObject): string | undefined {
  if (form.type !== undefined && form.type !== 'object') return 'a form describes an object'
  return schemaFault(form)
}

/** Why `answer` does not fit `form`, or undefined. */
export function answerFault(form: JsonObject, answer: Json): string | undefined {
  return isObject(answer) ? valueFault(form, answer) : 'must be an object'
}

function schemaFault(schema: JsonObject): string | undefined {
  for (const [keyword, value] of Object.entries(schema)) {
    if (remarks.has(keyword)) continue
    if (!Object.hasOwn(checks, keyword)) return `the keyword ${keyword} is not supported in a form`
    const fits = shapes[keyword] ?? ((limit: Json) => typeof limit === 'number')
    if (!fits(value)) return `the keyword ${keyword} has a value that it cannot have`
  }
  for (const inner of innerSchemas(schema)) {
    const fault = isObject(inner) ? schemaFault(inner) : 'a property of the form is not a schema'
    if (fault) return fault
  }
  return undefined
}

function innerSchemas({ properties, items, additionalProperties }: JsonObject): Json[] {
  const rest = isObject(additionalProperties) ? [additionalProperties] : []
  return [
    ...(isObject(properties) ? Object.values(properties) : []),
    ...(items === undefined ? [] : [items]),
    ...rest,
  ]
}

function valueFault(schema: JsonObject, value: Json): string | undefined {
  for (const [keyword, limit] of Object.entries(schema)) {
    const fault = Object.hasOwn(checks, keyword) ? checks[keyword]?.(limit, value, schema) : undefined
    if (fault) return fault
  }
  return undefined
}

function firstFault(places: [where: string, schema: Json, value: Json][]): string | undefined {
  for (const [where, schema, value] of places) {
    const fault = isObject(schema) ? valueFault(schema, value) : undefined
    if (fault) return fault.startsWith('.') || fault.startsWith('[') ? where + fault : `${where} ${fault}`
  }
  return undefined
}

function isOfType(value: Json, type: Json): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  return type === 'object' ? isObject(value) : typeof value === type
}

/** JSON Schema counts characters by code point. Not a string: `otherwise`, which passes. */
function lengthOf(value: Json, otherwise = Number.POSITIVE_INFINITY): number {
  return typeof value === 'string' ? [...value].length : otherwise
}

function listOf(value: Json): Json[] {
  return Array.isArray(value) ? value : [value]
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function equal(a: Json, b: Json): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => equal(item, b[i] as Json))
  if (!isObject(a) || !isObject(b)) return a === b
  const keys = Object.keys(a)
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && equal(a[key] as Json, b[key] as Json))
  )
}
