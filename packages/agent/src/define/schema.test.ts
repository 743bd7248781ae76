import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type SchemaSource, schemaOf } from './schema.ts'

const text = { type: 'string' }

describe('a JSON Schema that zod has no word for is shown to the model as it is, and any object fits it', () => {
  it.each<[string, object]>([
    ['a reference into itself', { properties: { from: text, to: { $ref: '#/properties/from' } } }],
    ['a reference to elsewhere', { properties: { a: { $ref: 'https://elsewhere/a.json' } } }],
    ['a condition', { if: { properties: { a: { const: 'x' } } }, else: { required: ['b'] } }],
    ['a negation', { properties: { a: { not: text } } }],
    ['a dependency', { properties: { a: text }, dependentRequired: { a: ['b'] } }],
    ['a ban of what is not evaluated', { properties: { a: {} }, unevaluatedProperties: false }],
    ['a pattern of another language', { properties: { a: { ...text, pattern: '(?i)abc' } } }],
  ])('%s', (_what, keywords) => {
    const source = { type: 'object', ...keywords } as never
    const schema = schemaOf(source)
    expect(schema.json).toBe(source)
    expect(schema.check({ a: 'x', other: [1] })).toEqual({ ok: true, value: { a: 'x', other: [1] } })
    expect([[], 'x', null].map((value) => schema.check(value).ok)).toEqual([false, false, false])
  })
})

it('definitions of older drafts are found without the name of the draft, and checked', () => {
  const source = { type: 'object', properties: { a: { $ref: '#/definitions/A' } }, definitions: { A: text } }
  const schema = schemaOf(source)
  expect(schema.check({ a: 'x' }).ok).toBe(true)
  expect(schema.check({ a: 1 })).toMatchObject({ ok: false, why: expect.stringContaining('a: ') })
})

describe('a schema that fails over a value says so, as one that refuses it', () => {
  it.each<[string, SchemaSource, string]>([
    ['a rule that throws', z.string().refine((value) => JSON.parse(value)), 'Unexpected token'],
    ['a rule that takes its time', z.string().refine(async () => true), 'asynchronous'],
  ])('%s', (_what, source, why) => {
    expect(schemaOf(source).check('x')).toEqual({ ok: false, why: expect.stringContaining(why) })
  })
})
