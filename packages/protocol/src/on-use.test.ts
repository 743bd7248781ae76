import { types } from 'node:util'
import { expect, it } from 'vitest'
import { z } from 'zod'
import * as protocol from './index.ts'
import { objectOnUse, onUse } from './on-use.ts'

const schemas: [string, unknown][] = [
  ...Object.entries(protocol),
  ...Object.entries(protocol.eventSchemas),
  ...Object.entries(protocol.recordSchemas),
]
const builtByLoading = schemas.filter(([, value]) => isSchema(value)).map(([name]) => name)

/** Looks at it without using it. */
function isSchema(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, '_zod')
}

it('loading the package builds no schema', () => {
  const all = schemas.filter(([, value]) => value instanceof z.ZodType)
  expect(all.length).toBeGreaterThan(100)
  expect(builtByLoading).toEqual([])
})

it('a schema is built once, at its first use, and is the same object before and after', () => {
  let builds = 0
  const name = onUse(() => {
    builds += 1
    return z.string().min(2).meta({ description: 'a name' })
  })
  const person = objectOnUse(() => ({ name, nick: name.optional() }))
  expect(builds).toBe(0)
  expect(person.safeParse({ name: 'Ada' }).success).toBe(true)
  expect(person.safeParse({ name: 'A' }).success).toBe(false)
  expect(person.shape.name).toBe(name)
  expect(name).toBeInstanceOf(z.ZodString)
  expect(types.isProxy(Object.getPrototypeOf(name))).toBe(false)
  expect(builds).toBe(1)
})

it('zod finds its way in one as in any other', () => {
  const built = z.strictObject({ at: z.string().meta({ description: 'when' }) })
  const late = objectOnUse(() => ({ at: onUse(() => z.string().meta({ description: 'when' })) }))
  const plain = { target: 'draft-2020-12' } as const
  expect(z.toJSONSchema(z.array(late.partial()), plain)).toEqual(
    z.toJSONSchema(z.array(built.partial()), plain),
  )
  expect(late.extend({ more: z.int() }).parse({ at: '', more: 1 })).toEqual({ at: '', more: 1 })
  expect('shape' in objectOnUse(() => ({}))).toBe(true)
})
