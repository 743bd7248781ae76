/** A host's own prices over those of a book. */
import {
  type PriceBook,
  type PriceOverrides,
  parseInput,
  price,
  priceBook,
  priceOverrides,
  scanText,
  scanValue,
} from '@holdfast/protocol'

const what = 'price overrides'

/**
 * A book with the overrides on top: the text of an override file, or its parsed content, in the form of a price book in
 * which nothing is required. A price replaces the one of its key as a whole; aliases and providers are tried before those
 * of the book. Throws `invalid_input` that names the place.
 */
export function overridePrices(book: PriceBook, overrides: string | object): PriceBook {
  const given = readOverrides(overrides)
  const aliases = [...(given.aliases ?? []), ...(book.aliases ?? [])]
  const providers = [...(given.providers ?? []), ...(book.providers ?? [])]
  const source = [book.source, given.source].filter((text) => text !== undefined).join('; ')
  const merged = {
    prices: { ...book.prices, ...given.prices },
    ...(aliases.length > 0 && { aliases }),
    ...(providers.length > 0 && { providers }),
    ...(source !== '' && { source }),
  }
  return parseInput(priceBook, merged, what)
}

function readOverrides(overrides: string | object): PriceOverrides {
  if (typeof overrides !== 'string') scanValue(overrides, 'priceBookBytes', what)
  const value = typeof overrides === 'string' ? scanText(overrides, 'priceBookBytes', what) : overrides
  // The name of a model is no content, and without it nobody would find the place.
  for (const [key, one] of Object.entries(Object(Object(value).prices))) {
    parseInput(price, one, `${what}.prices["${key}"]`)
  }
  return parseInput(priceOverrides, value, what)
}
