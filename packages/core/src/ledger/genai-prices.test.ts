import { calcPrice, waitForUpdate } from '@pydantic/genai-prices'
import { beforeAll, describe, expect, test } from 'vitest'
import { priceOf } from './cost.ts'
import type { GenaiMatch } from './genai-patterns.ts'
import { type ConvertedPrices, type GenaiProvider, priceBookOf } from './genai-prices.ts'

/** The package also tries it with dashes, which a book does not. */
const date = '-20250101'

/** A model by each name that its provider says it goes by, and by one with a date. */
function namesIn(match: GenaiMatch): string[] {
  if ('or' in match) return match.or.flatMap(namesIn)
  if ('and' in match || 'regex' in match) return []
  const [name] = Object.values(match) as [string]
  return [name, name + date]
}

const tokens = (promptTokens: number) => {
  return { promptTokens, completionTokens: 500, cachedReadTokens: 100, cachedWriteTokens: 50 }
}
const dollars = (promptTokens: number) => {
  return { input_tokens: promptTokens, output_tokens: 500, cache_read_tokens: 100, cache_write_tokens: 50 }
}

describe('the data of the package', () => {
  let providers: readonly GenaiProvider[]
  let converted: ConvertedPrices
  beforeAll(async () => {
    providers = (await waitForUpdate()) ?? []
    converted = priceBookOf(providers, { source: 'genai-prices' })
  })

  test('costs what the package itself says, by every name, in every tier, at several times', () => {
    let compared = 0
    const different: unknown[] = []
    const missing = new Set<string>()
    const spring = '2026-01-05T03:00:00.000Z'
    const autumn = '2026-11-02T10:00:00.000Z'
    for (const { id: providerId, models } of providers) {
      for (const { match, prices } of models) {
        const times = Array.isArray(prices) ? [spring, autumn] : [autumn]
        const calls = namesIn(match).flatMap((model) =>
          times.flatMap((at) => [1_000, 272_500].map((promptTokens) => ({ model, at, promptTokens }))),
        )
        for (const { model, at, promptTokens } of calls) {
          const cost = priceOf({ ...tokens(promptTokens), providerId, model }, converted.book, at)
          const theirs = calcPrice(dollars(promptTokens), model, { providerId, timestamp: new Date(at) })
          const isPriced =
            theirs?.model_price.input_mtok !== undefined && theirs.model_price.output_mtok !== undefined
          if (cost === undefined && isPriced && !model.endsWith(date))
            missing.add(`${theirs.provider.id}/${theirs.model.id}`)
          if (cost === undefined || theirs === null) continue
          compared += 1
          const microcents = theirs.total_price * 1e8
          // A price finer than a micro-cent per million tokens is rounded in the book.
          if (Math.abs(cost - microcents) > 1) different.push({ providerId, model, at, cost, microcents })
        }
      }
    }
    expect(different).toEqual([])
    expect([...missing].filter((key) => !converted.leftOut.some((line) => line.startsWith(key)))).toEqual([])
    expect(compared).toBeGreaterThan(5_000)
  }, 120_000)

  test('tells what a cache keeps for an hour from what it keeps for minutes', () => {
    const cost = (cachedWriteHourTokens: number) => {
      const usage = {
        ...tokens(1_000),
        cachedWriteHourTokens,
        providerId: 'anthropic',
        model: 'claude-opus-4-5',
      }
      return priceOf(usage, converted.book) ?? Number.NaN
    }
    // 10 dollars a million where the others are 6.25.
    expect(cost(50) - cost(0)).toBe((50 * (10 - 6.25) * 1e8) / 1e6)
  })

  test('is unknown for a model that the package does not know, and known for what is used most', () => {
    const known = (providerId: string, model: string) =>
      priceOf({ ...tokens(1_000), providerId, model }, converted.book, '2026-11-02T10:00:00.000Z') !==
      undefined
    for (const [providerId, model] of [
      ['anthropic', 'claude-sonnet-4-5-20250929'],
      ['openai', 'gpt-4o'],
      ['openai.responses', 'gpt-4o-2024-08-06'],
      ['google-vertex', 'gemini-2.5-flash'],
      ['xai', 'grok-4'],
      ['azure', 'gpt-4o'],
    ] as const) {
      expect(known(providerId, model), `${providerId}/${model}`).toBe(true)
    }
    expect(known('anthropic', 'claude-none')).toBe(false)
    expect(known('nobody', 'gpt-4o')).toBe(false)
  })

  test('says what it left out', () => {
    expect(converted.leftOut).toContain('mistral/mistral-ocr-2503: no price for tokens')
    for (const line of converted.leftOut) expect(line).toMatch(/^[\w-]+\/.+: (no price for tokens|\{.+\})$/s)
    expect(converted.leftOut.length).toBeLessThan(250)
  })
})

const one = (prices: GenaiProvider['models'][number]['prices']) =>
  priceBookOf([{ id: 'p', models: [{ id: 'm', match: { equals: 'm' }, prices }] }])

test('dollars become whole micro-cents, exactly where a micro-cent is fine enough', () => {
  const { book } = one({
    input_mtok: 0.15,
    output_mtok: 0.6,
    cache_read_mtok: 0.000000004,
    requests_kcount: 5,
  })
  expect(book.prices['p/m']).toEqual({
    prompt: 15_000_000,
    completion: 60_000_000,
    cachedRead: 0,
    call: 500_000,
  })
})

test('tiers of several rates become tiers of all of them', () => {
  const { book } = one({
    input_mtok: {
      base: 1,
      tiers: [
        { start: 200, price: 3 },
        { start: 100, price: 2 },
      ],
    },
    output_mtok: { base: 5, tiers: [{ start: 150, price: 6 }] },
  })
  expect(book.prices['p/m']?.tiers).toEqual([
    { above: 100, prompt: 200_000_000, completion: 500_000_000 },
    { above: 150, prompt: 200_000_000, completion: 600_000_000 },
    { above: 200, prompt: 300_000_000, completion: 600_000_000 },
  ])
})

test('a model without any price for tokens is unknown, not free', () => {
  expect(one({})).toMatchObject({ book: { prices: {} }, leftOut: ['p/m: no price for tokens'] })
  expect(one({ requests_kcount: 5 }).book.prices).toEqual({})
})

test.each([
  ['a negative price', { input_mtok: -1 }],
  ['a price that is not a number', { input_mtok: Number.NaN }],
  [
    'a time of day elsewhere',
    [
      { prices: { input_mtok: 1 } },
      { constraint: { start_time: '01:00:00+02:00', end_time: '02:00:00Z' }, prices: { input_mtok: 2 } },
    ],
  ],
  [
    'a day that is none',
    [{ prices: { input_mtok: 1 } }, { constraint: { start_date: '2026-02-30' }, prices: { input_mtok: 2 } }],
  ],
] as const)('%s is refused, and the message names the place', (_, prices) => {
  expect(() => one(prices)).toThrow(
    expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining('genai-prices') }),
  )
})

test.each([null, [null], [{ id: 'x' }], [{ id: 'x', models: [{ id: 'm', match: {}, prices: [1] }] }]])(
  '%o is not the data of that package',
  (data) => {
    expect(() => priceBookOf(data as never)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
  },
)

test('a provider of the data goes by its own name, though the rule of another one fits it', () => {
  const named = (id: string, input_mtok: number) => {
    return { id, models: [{ id: 'm', match: { equals: 'm1' }, prices: { input_mtok } }] }
  }
  const { book } = priceBookOf([{ ...named('p', 1), provider_match: { contains: 'p' } }, named('my-p', 2)])
  const million = { promptTokens: 1_000_000, completionTokens: 0, cachedReadTokens: 0, cachedWriteTokens: 0 }
  const cost = (providerId: string) => priceOf({ ...million, providerId, model: 'm1' }, book)
  expect([cost('p'), cost('my-p'), cost('other-p'), cost('q')]).toEqual([1e8, 2e8, 1e8, undefined])
})
