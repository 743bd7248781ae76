/** Parameters of a query: each with the schema of its value and the way to read it from text. */
import { HoldfastError, limits, parseInput } from '@holdfast/protocol'
import { z } from 'zod'

export interface Param<T = unknown> {
  readonly schema: z.ZodType<T>
  readonly about: string
  read(text: string): unknown
}
export type Params = Readonly<Record<string, Param>>
export type Given<P extends Params> = { [K in keyof P]?: P[K] extends Param<infer T> ? T : never }

export function word<T>(schema: z.ZodType<T>, about: string): Param<T> {
  return { schema, about, read: (text) => text }
}

export function whole(about: string, least = 0): Param<number> {
  return { schema: z.int().min(least), about, read: numberOf }
}

export function flag(about: string): Param<boolean> {
  return {
    schema: z.boolean(),
    about,
    read: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  }
}

/** Several values, with commas between them. */
export function several<T>(item: z.ZodType<T>, about: string): Param<T[]> {
  return { schema: z.array(item), about, read: (text) => text.split(',') }
}

export const limit = whole(`how many at most; ${limits.pageItems} if more`, 1)
export const after = word(z.string(), 'where the page before ended: its `next`')

/** Text that is no number is left as it is, for the schema to refuse. */
function numberOf(text: string): unknown {
  return /^-?\d{1,16}$/.test(text) ? Number(text) : text
}

/** A misspelt parameter that was passed over would answer another question than the one asked. */
export function readQuery<P extends Params>(params: P, search: URLSearchParams): Given<P> {
  const given: Record<string, unknown> = {}
  for (const [name, text] of search) {
    const param = Object.hasOwn(params, name) ? params[name] : undefined
    if (!param)
      throw invalid(`query: unknown parameter; known are ${Object.keys(params).join(', ') || 'none'}.`)
    if (Object.hasOwn(given, name)) throw invalid(`query: ${name} is given twice.`)
    given[name] = parseInput(param.schema, param.read(text), name)
  }
  return given as Given<P>
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid_input', message)
}
