/** What a model call costs by a price book, in whole micro-cents. A model that the book does not know is unknown, not free. */
import { HoldfastError, type PriceBook, parseInput, time, type UsageRecord } from '@holdfast/protocol'
import { findPrice } from './find-price.ts'
import { type Rates, ratesOf } from './tariff.ts'

type Priced = Partial<
  Pick<UsageRecord, 'providerId' | 'model' | 'reasoningTokens' | 'cachedWriteHourTokens'>
> &
  Pick<UsageRecord, 'promptTokens' | 'completionTokens' | 'cachedReadTokens' | 'cachedWriteTokens'>

const perTokens = 1_000_000n

/**
 * Exact until the end, where it is rounded once: half a micro-cent or more is one. Undefined when the book has no price
 * for the model, or none for a kind of token that was used, or when a number does not hold the cost.
 *
 * Cached tokens are inside the prompt, reasoning is inside the completion; each has a price of its own, or that of the
 * whole it is in. What a cache keeps for an hour costs more, so its price is never guessed from that of what it keeps for minutes. `at` is when the call was made, ISO time; without it a price that changes with time is unknown.
 * Throws `invalid_input` for counts that are none and a time that is none.
 */
export function priceOf(usage: Priced, book: PriceBook, at?: string): number | undefined {
  requireCounts(usage)
  if (at !== undefined) parseInput(time, at, 'at')
  const price = findPrice(usage, book)
  const { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens } = usage
  const { reasoningTokens = 0, cachedWriteHourTokens = 0 } = usage
  const rates = price && ratesOf(price, promptTokens, at)
  if (!rates) return undefined
  const parts = [
    times(promptTokens - cachedReadTokens - cachedWriteTokens, rates.prompt),
    times(cachedReadTokens, rates.cachedRead ?? rates.prompt),
    times(cachedWriteTokens - cachedWriteHourTokens, rates.cachedWrite ?? rates.prompt),
    times(cachedWriteHourTokens, hourRate(rates)),
    times(completionTokens - reasoningTokens, rates.completion),
    times(reasoningTokens, rates.reasoning ?? rates.completion),
  ]
  let sum = BigInt(rates.call ?? 0) * perTokens
  for (const part of parts) {
    if (part === undefined) return undefined
    sum += part
  }
  const cost = Number((sum + perTokens / 2n) / perTokens)
  return Number.isSafeInteger(cost) ? cost : undefined
}

function hourRate({ cachedWriteHour, cachedWrite, prompt }: Rates): number | undefined {
  return cachedWriteHour ?? (cachedWrite === undefined ? prompt : undefined)
}

function requireCounts(usage: Priced): void {
  const { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens } = usage
  const { reasoningTokens = 0, cachedWriteHourTokens = 0 } = usage
  const within = { reasoningTokens, cachedWriteHourTokens }
  const counts = { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens, ...within }
  for (const [name, count] of Object.entries(counts)) {
    if (!Number.isSafeInteger(count) || count < 0) throw invalid(`${name}: expected a count.`)
  }
  if (cachedReadTokens + cachedWriteTokens > promptTokens)
    throw invalid('cached tokens are a part of promptTokens.')
  if (cachedWriteHourTokens > cachedWriteTokens)
    throw invalid('cachedWriteHourTokens is a part of cachedWriteTokens.')
  if (reasoningTokens > completionTokens) throw invalid('reasoningTokens is a part of completionTokens.')
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid_input', `usage: ${message}`)
}

/** Products of counts and prices pass 2⁵³ long before their cost does. */
function times(tokens: number, price: number | undefined): bigint | undefined {
  if (tokens === 0) return 0n
  return price === undefined ? undefined : BigInt(tokens) * BigInt(price)
}

export type Cost = Pick<UsageRecord, 'costMicrocents' | 'costSource'>

/** What the provider reported wins over the book; so an old row can be rated again without touching it. */
export function rate(usage: Priced & Cost, book: PriceBook, at?: string): Cost {
  if (usage.costSource === 'provider') return { costMicrocents: usage.costMicrocents, costSource: 'provider' }
  const costMicrocents = priceOf(usage, book, at)
  return costMicrocents === undefined
    ? { costSource: 'unknown' }
    : { costMicrocents, costSource: 'price_book' }
}
