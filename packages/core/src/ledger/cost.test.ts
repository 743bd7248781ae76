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

test.each([
  [{ promptTokens: Number.NaN }, undefined],
  [{ completionTokens: -1 }, undefined],
  [{ cachedReadTokens: 900 }, undefined],
  [{ reasoningTokens: 101 }, undefined],
  [{ cachedWriteHourTokens: 201 }, undefined],
  [{}, 'yesterday'],
])('%o at %s is refused', (wrong, at) => {
  const usage = { ...counts, providerId: 'anthropic', model: 'claude', ...wrong }
  expect(() => priceOf(usage, book, at)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})

test('cached tokens without a price of their own cost what the prompt costs', () => {
  expect(priceOf({ ...counts, providerId: 'openrouter', model: 'meta/llama' }, book)).toBe(1_000 + 200)
})

test('what a cache keeps for an hour has its own price; where only other writes have one it is unknown', () => {
  const hour = { ...counts, cachedWriteHourTokens: 150, providerId: 'anthropic', model: 'claude' }
  expect(priceOf(hour, book)).toBeUndefined()
  const known = { 'anthropic/claude': { ...prices['anthropic/claude'], cachedWriteHour: 600_000_000 } }
  expect(priceOf(hour, { prices: known })).toBe(200 * 300 + 600 * 30 + 50 * 375 + 150 * 600 + 100 * 1_500)
  expect(priceOf({ ...hour, providerId: 'openrouter', model: 'meta/llama' }, book)).toBe(1_200)
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

const noTokens = { promptTokens: 0, completionTokens: 0, cachedReadTokens: 0, cachedWriteTokens: 0 }
const million = 1_000_000

test('a kind of token without a price is unknown when it was used, and only then', () => {
  const embedding = { prices: { e: { prompt: 5 } } }
  expect(priceOf({ ...noTokens, promptTokens: million, model: 'e' }, embedding)).toBe(5)
  expect(
    priceOf({ ...noTokens, promptTokens: million, completionTokens: 1, model: 'e' }, embedding),
  ).toBeUndefined()
  expect(priceOf({ ...noTokens, model: 'e' }, embedding)).toBe(0)
})

test('reasoning has its own price or that of the completion it is in, and is never paid twice', () => {
  const spent = { ...noTokens, completionTokens: 3 * million, reasoningTokens: million, model: 'm' }
  expect(priceOf(spent, { prices: { m: { completion: 10 } } })).toBe(30)
  expect(priceOf(spent, { prices: { m: { completion: 10, reasoning: 3 } } })).toBe(23)
})

test('a price per call is added to each', () => {
  const tokens = { ...noTokens, promptTokens: million, model: 'm' }
  expect(priceOf(tokens, { prices: { m: { prompt: 2, completion: 2, call: 7 } } })).toBe(9)
})

test('a prompt past a tier pays its rates for every token; what the tier does not name stays', () => {
  const tiers = [
    { above: 200, prompt: 2 * million },
    { above: 400, prompt: 4 * million, completion: 9 * million },
  ]
  const tiered = { prices: { m: { prompt: million, completion: 3 * million, tiers } } }
  const cost = (promptTokens: number) =>
    priceOf({ ...noTokens, promptTokens, completionTokens: 1, model: 'm' }, tiered)
  expect([200, 201, 400, 401].map(cost)).toEqual([203, 405, 803, 1_613])
})

test('a price changes at its time, and every day between two times', () => {
  const night = { when: { daily: { from: '22:00:00', until: '06:00:00' } }, prompt: 1 }
  const noon = { when: { daily: { from: '12:00:00', until: '13:00:00' } }, prompt: 3 }
  const changes = [{ when: { from: '2026-03-01T00:00:00Z' }, prompt: 5 }, night, noon]
  const changing = { prices: { m: { prompt: 9, changes } } }
  const cost = (at?: string) => priceOf({ ...noTokens, promptTokens: million, model: 'm' }, changing, at)
  expect(cost('2026-02-28T20:59:59.999Z')).toBe(9)
  expect(cost('2026-03-01T20:00:00Z')).toBe(5)
  expect(cost('2025-01-01T22:00:00.000Z')).toBe(1)
  expect(cost('2026-03-01T05:59:59.999Z')).toBe(1)
  expect(cost('2026-03-01T06:00:00.000Z')).toBe(5)
  expect(cost('2026-03-01T12:00:00Z')).toBe(3)
  expect(cost('2026-03-01T13:00:00Z')).toBe(5)
  expect(cost(), 'the time is not known').toBeUndefined()
})

test('a cost that a number does not hold is unknown', () => {
  const usage = { ...noTokens, promptTokens: Number.MAX_SAFE_INTEGER, model: 'm' }
  expect(priceOf(usage, { prices: { m: { prompt: million } } })).toBe(Number.MAX_SAFE_INTEGER)
  expect(priceOf(usage, { prices: { m: { prompt: million + 1 } } })).toBeUndefined()
})

test('other names are tried in order, after the own ones; a provider may go by another name', () => {
  const named = {
    prices: { 'p/a': { prompt: 1 }, 'p/b': { prompt: 2 }, 'p/B2': { prompt: 3 } },
    aliases: [
      ['p/b-##', 'p/a'],
      ['p/b*', 'p/b'],
    ] as [string, string][],
    providers: [['*cloud', 'p']] as [string, string][],
  }
  const cost = (providerId: string, model: string) =>
    priceOf({ ...noTokens, promptTokens: million, providerId, model }, named)
  expect(cost('p', 'b-12')).toBe(1)
  expect(cost('p', 'b-1')).toBe(2)
  expect(cost('P', 'B-12')).toBe(1)
  expect(cost('p', 'B2')).toBe(3)
  expect(cost('My-Cloud', 'b-x')).toBe(2)
  expect(cost('My-Cloud', 'a')).toBe(1)
  expect(cost('q', 'b')).toBeUndefined()
})
