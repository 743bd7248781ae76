/**
 * The known bill: what a provider charged for every attempt, reckoned by plain means of its own. The ledger has to agree
 * with it after every step.
 */
import type { PriceBook } from '@holdfast/protocol'

/** One model call, as the provider has it in its books. */
export interface Attempt {
  attemptId: string
  tenant: string
  session: string
  root: string
  user: string
  agent: string
  model: string
  purpose: 'turn' | 'title' | 'compaction'
  status: 'ok' | 'failed' | 'aborted'
  estimated: boolean
  promptTokens: number
  completionTokens: number
  cachedReadTokens: number
  /** Micro-cents that the provider itself reported. */
  reported?: number
}

/** Known attempts, prompt and completion tokens, micro-cents, and attempts of unknown cost. */
export type Sums = readonly [rows: number, prompt: number, completion: number, cost: number, unknown: number]

export const nothing: Sums = [0, 0, 0, 0, 0]

export function plus(a: Sums, b: Sums): Sums {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]]
}

/** Micro-cents per thousand tokens: of the prompt, of what was cached in it, of the completion. */
type Tariff = readonly [prompt: number, cached: number, completion: number]

/** `large` has a dearer tier past 5,000 tokens of prompt; `new` is in the second book only; `odd` is in none. */
const tariffs: Readonly<Record<string, (model: string, promptTokens: number) => Tariff | undefined>> = {
  'book-1': (model, promptTokens) =>
    model === 'small'
      ? [333, 33, 1_500]
      : model === 'large'
        ? promptTokens > 5_000
          ? [6_001, 600, 22_500]
          : [3_001, 300, 15_000]
        : undefined,
  'book-2': (model, promptTokens) =>
    model === 'small'
      ? [250, 25, 1_250]
      : model === 'large'
        ? promptTokens > 5_000
          ? [5_003, 500, 20_000]
          : [2_503, 250, 10_000]
        : model === 'new'
          ? [77, 7, 777]
          : undefined,
}

export const models = ['small', 'large', 'new', 'odd'] as const
export const bookNames = Object.keys(tariffs)

/** Micro-cents, rounded half up once; undefined when the book does not know the model. */
export function costOf(attempt: Attempt, book: string): number | undefined {
  if (attempt.reported !== undefined) return attempt.reported
  const tariff = tariffs[book]?.(attempt.model, attempt.promptTokens)
  if (!tariff) return undefined
  const fresh = attempt.promptTokens - attempt.cachedReadTokens
  const thousandths =
    fresh * tariff[0] + attempt.cachedReadTokens * tariff[1] + attempt.completionTokens * tariff[2]
  return Math.floor((thousandths + 500) / 1_000)
}

export function sumsOf({ promptTokens, completionTokens }: Attempt, cost: number | undefined): Sums {
  return [1, promptTokens, completionTokens, cost ?? 0, cost === undefined ? 1 : 0]
}

/** The same tariffs as a price book of ours. */
export function priceBookOf(book: string): PriceBook {
  const perMillion = ([prompt, cachedRead, completion]: Tariff) => {
    return { prompt: prompt * 1_000, cachedRead: cachedRead * 1_000, completion: completion * 1_000 }
  }
  const prices = models.flatMap((model) => {
    const [low, high] = [5_000, 5_001].map((promptTokens) => tariffs[book]?.(model, promptTokens))
    return low && high
      ? [[`maker/${model}`, { ...perMillion(low), tiers: [{ above: 5_000, ...perMillion(high) }] }]]
      : []
  })
  return { prices: Object.fromEntries(prices) }
}
