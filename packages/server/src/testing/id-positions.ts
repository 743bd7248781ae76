/** Where a request may name something by its id: in its path, its query and its body, as its route says. */
import { id } from '@holdfast/protocol'
import { z } from 'zod'
import type { Route } from '../route.ts'

export interface Position {
  readonly in: 'path' | 'query' | 'body'
  /** Names from the outside in; `0` for an item of a list. */
  readonly at: readonly string[]
}

interface Schema {
  type?: string
  pattern?: string
  properties?: Record<string, Schema>
  items?: Schema
  anyOf?: Schema[]
  allOf?: Schema[]
  $ref?: string
  $defs?: Record<string, Schema>
}

const mostDeep = 12
const idPattern = schemaOf(id).pattern

export function idPositions({ path, query, body }: Route): Position[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    in: 'path' as const,
    at: [name ?? ''],
  }))
  const inQuery = Object.entries(query).flatMap(([name, { schema }]) => found(schema, 'query', [name]))
  return [...inPath, ...inQuery, ...(typeof body === 'object' ? found(body.schema, 'body', []) : [])]
}

export function nameOf({ at }: Position): string {
  return at.findLast((name) => name !== '0') ?? ''
}

/** A copy with that value there. */
export function placed(value: unknown, [name, ...rest]: readonly string[], id: string): unknown {
  if (name === undefined) return id
  if (name === '0') return [placed(Array.isArray(value) ? value[0] : undefined, rest, id)]
  const fields = (value ?? {}) as Record<string, unknown>
  return { ...fields, [name]: placed(fields[name], rest, id) }
}

function found(schema: z.ZodType, where: 'query' | 'body', at: readonly string[]): Position[] {
  const converted = schemaOf(schema)
  const places = new Set([...walk(converted, at, converted.$defs ?? {})])
  return [...places].map((place) => ({ in: where, at: place.split('.') }))
}

function schemaOf(schema: z.ZodType): Schema {
  return z.toJSONSchema(schema, { io: 'input' }) as Schema
}

function* walk(schema: Schema, at: readonly string[], named: Record<string, Schema>): Generator<string> {
  if (at.length > mostDeep) return
  const { $ref, anyOf = [], allOf = [], properties = {}, items } = schema
  if (isId(schema, at)) yield at.join('.')
  for (const one of [...anyOf, ...allOf]) yield* walk(one, at, named)
  if ($ref !== undefined) yield* walk(named[$ref.split('/').at(-1) ?? ''] ?? {}, at, named)
  for (const [name, one] of Object.entries(properties)) yield* walk(one, [...at, name], named)
  if (items) yield* walk(items, [...at, '0'], named)
}

/** By its shape, or by its name where any text is taken. */
function isId({ type, pattern }: Schema, at: readonly string[]): boolean {
  return type === 'string' && (pattern === idPattern || /Ids?$/.test(nameOf({ in: 'body', at })))
}
