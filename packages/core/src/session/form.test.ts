import type { Json, JsonObject } from '@holdfast/protocol'
import { describe, expect, test } from 'vitest'
import { answerFault, formFault } from './form.ts'

const form: JsonObject = {
  type: 'object',
  title: 'Deploy',
  required: ['target'],
  additionalProperties: false,
  properties: {
    target: { type: 'string', enum: ['staging', 'production'] },
    note: { type: 'string', minLength: 2, maxLength: 4 },
    replicas: { type: 'integer', minimum: 1, maximum: 3 },
    ratio: { type: ['number', 'null'], exclusiveMinimum: 0, exclusiveMaximum: 1 },
    tags: { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 2 },
    limits: { type: 'object', additionalProperties: { type: 'number' } },
    mode: { const: { fast: true } },
  },
}

const good: [string, Json][] = [
  ['the least', { target: 'staging' }],
  [
    'all of it',
    {
      target: 'production',
      note: 'abc',
      replicas: 3,
      ratio: 0.5,
      tags: ['x'],
      limits: { a: 1 },
      mode: { fast: true },
    },
  ],
  ['null where null is allowed', { target: 'staging', ratio: null }],
  ['characters counted by code point', { target: 'staging', note: '😀😀😀😀' }],
]

const bad: [string, Json][] = [
  ['.target is required', {}],
  ['.target must be one of the listed values', { target: 'moon' }],
  ['.note must have at least 2 characters', { target: 'staging', note: 'a' }],
  ['.note must have at most 4 characters', { target: 'staging', note: '12345' }],
  ['.note must be string', { target: 'staging', note: 5 }],
  ['.replicas must be integer', { target: 'staging', replicas: 1.5 }],
  ['.replicas must be at least 1', { target: 'staging', replicas: 0 }],
  ['.replicas must be at most 3', { target: 'staging', replicas: 4 }],
  ['.ratio must be more than 0', { target: 'staging', ratio: 0 }],
  ['.ratio must be less than 1', { target: 'staging', ratio: 1 }],
  ['.ratio must be number or null', { target: 'staging', ratio: '1' }],
  ['.tags must have at least 1 items', { target: 'staging', tags: [] }],
  ['.tags must have at most 2 items', { target: 'staging', tags: ['a', 'b', 'c'] }],
  ['.tags[1] must be string', { target: 'staging', tags: ['a', 1] }],
  ['.limits.* must be number', { target: 'staging', limits: { a: 'x' } }],
  ['.mode must be the one listed value', { target: 'staging', mode: { fast: true, slow: true } }],
  ['has a property that the form does not list', { target: 'staging', extra: 1 }],
  ['must be an object', 'staging'],
  ['must be an object', ['staging']],
  ['must be an object', null],
]

describe('an answer to a form', () => {
  test.each(good)('fits: %s', (_what, answer) => expect(answerFault(form, answer)).toBeUndefined())
  test.each(bad)('does not fit: %s', (fault, answer) => expect(answerFault(form, answer)).toBe(fault))

  test('is never matched against the prototype of an object', () => {
    expect(answerFault({ required: ['constructor'] }, {})).toBe('.constructor is required')
    expect(answerFault({ additionalProperties: false, properties: {} }, { toString: 1 })).toBeDefined()
  })
})

const refused: [string, JsonObject][] = [
  [
    'the keyword pattern is not supported in a form',
    { properties: { a: { type: 'string', pattern: '(a+)+' } } },
  ],
  ['the keyword $ref is not supported in a form', { $ref: '#' }],
  ['the keyword oneOf is not supported in a form', { properties: { a: { items: { oneOf: [] } } } }],
  ['the keyword toString is not supported in a form', { toString: 1 }],
  ['the keyword type has a value that it cannot have', { properties: { a: { type: 'text' } } }],
  ['the keyword minimum has a value that it cannot have', { properties: { a: { minimum: '1' } } }],
  ['the keyword required has a value that it cannot have', { required: 'a' }],
  ['a property of the form is not a schema', { properties: { a: true } }],
  ['a form describes an object', { type: 'array' }],
]

describe('a form', () => {
  test('that is understood in full is accepted', () => expect(formFault(form)).toBeUndefined())
  test.each(refused)('is refused: %s', (fault, schema) => expect(formFault(schema)).toBe(fault))
})
