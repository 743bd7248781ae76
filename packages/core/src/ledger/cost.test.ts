import { expect, test } from 'vitest'
import { priceOf, rate } from './cost.ts'

const prices = {
  'anthropic/claude': {
    prompt: 300_000_000,
    completion: 1_500_000_000,
    cachedRead: 30_000_000,
    cachedWrite: 375_000_000,
  },
  'openrouter/meta/llama': { prompt: 1_000_000, completion: 2_000_000 },
  bare: { prompt: 1, completion: 1 },
}
const book = { prices }
const counts = { promptTokens: 1_000, completionTokens: 100, cachedReadTokens: 600, cachedWriteTokens: 200 }

test('each kind of token has its price, and none is paid twice', () => {
  expect(priceOf({ ...counts, providerId: 'anthropic', model: 'claude' }, book)).toBe(
    200 * 300 + 600 * 30 + 200 * 375 + 100 * 1_500,
  )
})

test('cached tokens without a price of their own cost what the prompt costs', () => {
  expect(priceOf({ ...counts, providerId: 'openrouter', model: 'meta/llama' }, book)).toBe(1_000 + 200)
})

test('a model is found by its pair, or by a bare name that is split on the first slash', () => {
  expect(priceOf({ ...counts, model: 'openrouter/meta/llama' }, book)).toBe(1_200)
  expect(priceOf({ ...counts, providerId: 'other', model: 'openrouter/meta/llama' }, book)).toBeUndefined()
  expect(priceOf({ ...counts, providerId: 'other', model: 'bare' }, book)).toBeUndefined()
})

test('what costs half a micro-cent or more costs one', () => {
  const tokens = (promptTokens: number) => ({
    promptTokens,
    completionTokens: 0,
    cachedReadTokens: 0,
    cachedWriteTokens: 0,
    model: 'bare',
  })
  expect([0, 499_999, 500_000, 1_500_000].map((n) => priceOf(tokens(n), book))).toEqual([0, 0, 1, 2])
})

test.each([[undefined], ['unknown'], ['__proto__'], ['toString']])(
  'the model %s is unknown, not free',
  (model) => {
    expect(priceOf({ ...counts, model }, book)).toBeUndefined()
    expect(rate({ ...counts, model, costSource: 'unknown' }, book)).toEqual({ costSource: 'unknown' })
  },
)

test('a price that the provider reported wins over the book; others are rated anew by a new book', () => {
  const row = { ...counts, providerId: 'openrouter', model: 'meta/llama' }
  expect(rate({ ...row, costMicrocents: 7, costSource: 'provider' }, book)).toEqual({
    costMicrocents: 7,
    costSource: 'provider',
  })
  expect(rate({ ...row, costMicrocents: 7, costSource: 'price_book' }, book)).toEqual({
    costMicrocents: 1_200,
    costSource: 'price_book',
  })
})
