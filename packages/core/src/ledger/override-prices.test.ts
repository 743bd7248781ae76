import { HoldfastError, type PriceBook } from '@holdfast/protocol'
import { expect, test } from 'vitest'
import { priceOf } from './cost.ts'
import { overridePrices } from './override-prices.ts'

const book: PriceBook = {
  prices: { 'p/a': { prompt: 1, completion: 2, cachedRead: 1 }, 'p/b': { prompt: 3 } },
  aliases: [['p/a-*', 'p/a']],
  source: 'list',
}
const million = { promptTokens: 1_000_000, completionTokens: 0, cachedReadTokens: 0, cachedWriteTokens: 0 }

test('a price of the overrides replaces the whole one of the book; the others stay', () => {
  const over = overridePrices(book, '{"prices": {"p/a": {"prompt": 9}}, "source": "contract"}')
  expect(over.prices).toEqual({ 'p/a': { prompt: 9 }, 'p/b': { prompt: 3 } })
  expect(over.source).toBe('list; contract')
  expect(priceOf({ ...million, providerId: 'p', model: 'a-1' }, over), 'by its other names, too').toBe(9)
  expect(book.prices['p/a'], 'the book is as it was').toEqual({ prompt: 1, completion: 2, cachedRead: 1 })
})

test('aliases and providers of the overrides are tried first, and may name models of the book', () => {
  const over = overridePrices(book, { aliases: [['p/a-x', 'p/b']], providers: [['q', 'p']] })
  expect(priceOf({ ...million, providerId: 'q', model: 'a-x' }, over)).toBe(3)
  expect(priceOf({ ...million, providerId: 'q', model: 'a-y' }, over)).toBe(1)
})

test.each([
  ['{"prices": {"p/a": {"prompt": -1}}}', 'prices["p/a"].prompt'],
  ['{"prices": {"p/a": {"prompt": 0.5}}}', 'prices["p/a"].prompt'],
  ['{"prices": {"p/a": {"promt": 1}}}', 'prices["p/a"]'],
  ['{"price": {}}', 'unknown key'],
  ['{"prices": {"p/a": {"tiers": [{"above": 2}, {"above": 1}]}}}', 'prices["p/a"].tiers'],
  [
    '{"prices": {"p/a": {"changes": [{"when": {"from": "2026-02-30T00:00:00Z"}}]}}}',
    'prices["p/a"].changes[0].when',
  ],
  ['{"aliases": [["P/A", "p/a"]]}', 'aliases[0][0]'],
  ['{"aliases": [["p/x", "p/none"]]}', 'without a price'],
  ['{"prices": {"__proto__": {"prompt": 1}}}', '__proto__'],
  ['{"prices": {"p/a": {}, "p/a": {}}}', 'same key twice'],
  ['null', 'expected object'],
  ['{"prices": 5}', 'prices'],
  ['{"prices": ', 'JSON'],
])('%s is refused, and the message names the place', (text, place) => {
  const refused = () => overridePrices(book, text)
  expect(refused).toThrow(HoldfastError)
  expect(refused).toThrow(
    expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining(place) }),
  )
})
