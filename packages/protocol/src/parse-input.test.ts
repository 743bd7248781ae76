import { expect, test } from 'vitest'
import { z } from 'zod'
import { HoldfastError, json, jsonObject, parseInput, recordOf } from './index.ts'

const schema = z.strictObject({
  name: z.string(),
  items: z.array(z.strictObject({ count: z.int() })).optional(),
})

function failure(input: unknown, of: z.ZodType = schema): HoldfastError {
  try {
    parseInput(of, input, 'order')
  } catch (error) {
    if (error instanceof HoldfastError) return error
  }
  throw new Error('no HoldfastError was thrown')
}

test('input that fits comes back as its schema gives it', () => {
  expect(parseInput(z.object({ a: z.string().default('b') }), {}, 'order')).toEqual({ a: 'b' })
})

test('the message names the input, the place and the reason', () => {
  const error = failure({ name: 'a', items: [{ count: 1 }, { count: 'two' }] })
  expect(error.code).toBe('invalid_input')
  expect(error.message).toBe('order.items[1].count: Invalid input: expected number, received string.')
})

test('details list at most eight faults', () => {
  const { issues } = failure({ name: 1, items: Array(20).fill({ count: 'x' }) }).details as {
    issues: unknown[]
  }
  expect(issues).toHaveLength(8)
  expect(issues[0]).toEqual({ path: 'name', message: 'Invalid input: expected string, received number' })
})

test('an unknown field is named when it looks like one', () => {
  expect(failure({ nmae: 'a', name: 'a' }).message).toBe('order: unknown key nmae.')
})

test('neither values nor odd keys of the input are shown', () => {
  const canary = 'canary 9f2c'
  const inputs = [{ name: { [canary]: 1 } }, { name: 'a', [canary]: 1 }, { name: 'a', items: canary }, canary]
  for (const input of inputs) {
    const { message, details } = failure(input)
    expect(message + JSON.stringify(details)).not.toContain(canary)
  }
})

test('a JSON field must be there, and may be null', () => {
  expect(failure({}, z.strictObject({ input: json })).message).toBe('order.input: required.')
  expect(parseInput(z.strictObject({ input: json }), { input: null }, 'order')).toEqual({ input: null })
})

test('a JSON object is neither an array nor null nor text', () => {
  for (const input of [[], null, 'a', 1, undefined])
    expect(failure(input, jsonObject).code).toBe('invalid_input')
  expect(parseInput(jsonObject, { a: [1] }, 'order')).toEqual({ a: [1] })
})

test('a record of ours refuses the keys that it would lose', () => {
  const prices = recordOf(z.int())
  expect(parseInput(prices, { 'acme/one': 1 }, 'order')).toEqual({ 'acme/one': 1 })
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    expect(failure(JSON.parse(`{"${key}":1}`), prices).message).toBe('order: unsafe key.')
  }
})
