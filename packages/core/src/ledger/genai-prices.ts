/**
 * A price book from the data of the npm package `@pydantic/genai-prices`, which is taken by its shape: a host passes
 * what `await waitForUpdate()` of that package gives.
 */
import {
  HoldfastError,
  type Price,
  type PriceBook,
  parseInput,
  priceBook,
  scanValue,
} from '@holdfast/protocol'
import { type GenaiMatch, patternsOf } from './genai-patterns.ts'

/** What is read of a provider. Its prices are dollars: per million tokens, or per thousand requests. */
export interface GenaiProvider {
  id: string
  provider_match?: GenaiMatch
  /** Providers whose models are tried after its own. */
  fallback_model_providers?: readonly string[]
  models: readonly GenaiModel[]
}

export interface GenaiModel {
  id: string
  match: GenaiMatch
  prices: GenaiPrices | readonly { constraint?: GenaiConstraint; prices: GenaiPrices }[]
}

export type GenaiPrices = Readonly<Record<string, number | GenaiTiers | undefined>>
export interface GenaiTiers {
  base: number
  tiers: readonly { start: number; price: number }[]
}
export type GenaiConstraint = { start_date: string } | { start_time: string; end_time: string }

/** Which of their units are counted in a usage row, and as what. Others (audio, images, searches, pages) are not. */
const units = {
  input_mtok: 'prompt',
  output_mtok: 'completion',
  cache_read_mtok: 'cachedRead',
  cache_write_mtok: 'cachedWrite',
  cache_write_1h_mtok: 'cachedWriteHour',
  output_reasoning_mtok: 'reasoning',
  requests_kcount: 'call',
} as const

type Unit = keyof typeof units
type Tariff = Omit<Price, 'changes'>

const microcentsPerDollar = 1e8
const requestsPerThousand = 1e3

export interface ConvertedPrices {
  book: PriceBook
  /** What the book cannot say, `provider/model: why`: these are unknown under it. */
  leftOut: string[]
}

/** Throws `invalid_input` on data of another shape. `source` is kept in the book, as `genai-prices 0.1.8`. */
export function priceBookOf(
  providers: readonly GenaiProvider[],
  options: { source?: string } = {},
): ConvertedPrices {
  requireShape(providers)
  const models = providers.flatMap((provider) =>
    provider.models.map((model) => convertModel(provider, model)),
  )
  const priced = models.filter(({ price }) => price !== undefined)
  const book = {
    prices: Object.fromEntries(priced.toReversed().map(({ key, price }) => [key, price])),
    aliases: providers.flatMap((provider) => aliasesOf(provider, priced)),
    providers: [...providers.map(({ id }) => [id, id]), ...providers.flatMap(otherNamesOf)],
    ...options,
  }
  scanValue(book, 'priceBookBytes', 'genai-prices')
  return {
    book: parseInput(priceBook, book, 'genai-prices'),
    leftOut: models.flatMap((model) => model.leftOut),
  }
}

/** As far as it is read here; the book that is made of it is checked whole. */
function requireShape(providers: unknown): void {
  const isProvider = (provider: unknown) =>
    isObject(provider) && typeof provider.id === 'string' && listOf(provider.models, isModel)
  if (listOf(providers, isProvider)) return
  throw new HoldfastError('invalid_input', 'genai-prices: expected the list of providers of that package.')
}

function isModel(model: unknown): boolean {
  if (!isObject(model) || typeof model.id !== 'string' || !isObject(model.match)) return false
  const { prices } = model
  return (
    isObject(prices) &&
    (!Array.isArray(prices) || listOf(prices, (dated) => isObject(dated) && isObject(dated.prices)))
  )
}

function listOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

interface Converted {
  providerId: string
  key: string
  price: Price | undefined
  patterns: string[]
  leftOut: string[]
}

function convertModel(provider: GenaiProvider, model: GenaiModel): Converted {
  const key = `${provider.id}/${model.id}`
  const price = priceFrom(model)
  const { patterns, untold } = patternsOf(model.match)
  const missing = price ? untold : ['no price for tokens']
  return { providerId: provider.id, key, price, patterns, leftOut: missing.map((why) => `${key}: ${why}`) }
}

/** The patterns of its models and then of those that it falls back on, under its own name. */
function aliasesOf(
  { id, fallback_model_providers: others = [] }: GenaiProvider,
  models: readonly Converted[],
) {
  return [id, ...others].flatMap((from) =>
    models
      .filter(({ providerId }) => providerId === from)
      .flatMap(({ key, patterns }) => patterns.map((pattern) => [`${id.toLowerCase()}/${pattern}`, key])),
  )
}

function otherNamesOf({ id, provider_match: match }: GenaiProvider): string[][] {
  return match ? patternsOf(match).patterns.map((pattern) => [pattern, id]) : []
}

/** Undefined when it has no price for tokens at any time, or one that depends on what a book cannot say. */
function priceFrom({ prices }: GenaiModel): Price | undefined {
  const dated = isDated(prices) ? prices : [{ prices }]
  const [first, ...rest] = dated.map(({ prices: at }) => tariffOf(at))
  if (!first || rest.includes(undefined)) return undefined
  const changes = rest.map((tariff, n) => ({ when: whenOf(dated[n + 1]?.constraint), ...tariff }))
  return { ...first, ...(changes.length > 0 && { changes: changes as NonNullable<Price['changes']> }) }
}

function isDated(prices: GenaiModel['prices']): prices is Extract<GenaiModel['prices'], readonly unknown[]> {
  return Array.isArray(prices)
}

/** Later entries win where they hold; one without a constraint always holds. */
function whenOf(constraint: GenaiConstraint | undefined): unknown {
  if (!constraint) return { from: '1970-01-01T00:00:00Z' }
  if ('start_date' in constraint) return { from: `${constraint.start_date}T00:00:00Z` }
  return { daily: { from: timeOf(constraint.start_time), until: timeOf(constraint.end_time) } }
}

/** Only UTC is a time of ours; another zone is refused by the schema of the book. */
function timeOf(text: string): string {
  return text.replace(/(\.0+)?(Z|\+00:00)$/, '')
}

function tariffOf(prices: GenaiPrices): Tariff | undefined {
  const known = Object.entries(units).filter(([unit]) => prices[unit] !== undefined) as [Unit, keyof Tariff][]
  if (!known.some(([unit]) => unit !== 'requests_kcount')) return undefined
  const ratesAt = (promptTokens: number) =>
    Object.fromEntries(
      known.map(([unit, rate]) => [rate, microcentsOf(unit, priceAt(prices[unit], promptTokens))]),
    )
  const starts = new Set(known.flatMap(([unit]) => tiersOf(prices[unit]).map(({ start }) => start)))
  const tiers = [...starts].sort((a, b) => a - b).map((above) => ({ above, ...ratesAt(above + 1) }))
  return { ...ratesAt(0), ...(tiers.length > 0 && { tiers }) }
}

function tiersOf(price: GenaiPrices[string]): GenaiTiers['tiers'] {
  return typeof price === 'object' ? price.tiers : []
}

/** Dollars for a prompt of this size: the highest tier that it passes is the price of all its tokens. */
function priceAt(price: GenaiPrices[string], promptTokens: number): number | undefined {
  if (typeof price !== 'object') return price
  const reached = price.tiers.filter(({ start }) => promptTokens > start)
  return reached.sort((a, b) => a.start - b.start).at(-1)?.price ?? price.base
}

/** A price finer than a micro-cent per million tokens is rounded to one. */
function microcentsOf(unit: Unit, dollars: number | undefined): number {
  const per = unit === 'requests_kcount' ? requestsPerThousand : 1
  return Math.round(((dollars ?? 0) * microcentsPerDollar) / per)
}
