/** What a model call costs by a price book, in whole micro-cents. A model that the book does not know is unknown, not free. */
import type { RecordBody, UsageRecord } from '@holdfast/protocol'
import { splitModel } from '../session/model-ref.ts'

export type PriceBook = RecordBody<'price_book'>
type Price = PriceBook['prices'][string]

type Priced = Pick<
  UsageRecord,
  'providerId' | 'model' | 'promptTokens' | 'completionTokens' | 'cachedReadTokens' | 'cachedWriteTokens'
>

const perTokens = 1_000_000n

/** Cached tokens are inside the prompt and have a price of their own; reasoning is inside the completion and has none. */
export function priceOf(usage: Priced, book: PriceBook): number | undefined {
  const price = priceOfModel(usage, book)
  if (!price) return undefined
  const plain = usage.promptTokens - usage.cachedReadTokens - usage.cachedWriteTokens
  const sum =
    times(plain, price.prompt) +
    times(usage.cachedReadTokens, price.cachedRead ?? price.prompt) +
    times(usage.cachedWriteTokens, price.cachedWrite ?? price.prompt) +
    times(usage.completionTokens, price.completion)
  const cost = Number((sum + perTokens / 2n) / perTokens)
  return Number.isSafeInteger(cost) ? cost : undefined
}

/** Products of counts and prices pass 2⁵³ long before their cost does. */
function times(tokens: number, price: number): bigint {
  return BigInt(tokens) * BigInt(price)
}

/** The pair of provider and model wins over a bare name, which is split when it has the form of a pair. */
function priceOfModel({ providerId, model }: Priced, { prices }: PriceBook): Price | undefined {
  if (model === undefined) return undefined
  const ref = providerId === undefined ? splitModel(model) : { providerId, model }
  const key = ref.providerId === undefined ? ref.model : `${ref.providerId}/${ref.model}`
  return Object.hasOwn(prices, key) ? prices[key] : undefined
}

export type Cost = Pick<UsageRecord, 'costMicrocents' | 'costSource'>

/** What the provider reported wins over the book; so an old row can be rated again without touching it. */
export function rate(usage: Priced & Cost, book: PriceBook): Cost {
  if (usage.costSource === 'provider') return { costMicrocents: usage.costMicrocents, costSource: 'provider' }
  const costMicrocents = priceOf(usage, book)
  return costMicrocents === undefined
    ? { costSource: 'unknown' }
    : { costMicrocents, costSource: 'price_book' }
}
