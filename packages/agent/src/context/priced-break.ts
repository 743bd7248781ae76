/** What it cost that a call could not be read from the provider's cache as far as the one before it. */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import { priceOf } from '@holdfast/core'
import { type CacheBreak, toTime } from '@holdfast/protocol'
import type { World } from '../turn/world.ts'
import type { Break } from './cache-break.ts'

/** Nothing is said of money where a price is not known. */
export async function pricedBreak(
  { now, holdfast }: World,
  { provider: providerId, modelId: model }: Pick<LanguageModelV4, 'provider' | 'modelId'>,
  broken: Break,
): Promise<CacheBreak> {
  const book = (await holdfast.priceBooks.inForce())?.body
  const { rereadTokens: promptTokens } = broken
  const cost = (cachedReadTokens: number): number | undefined => {
    const counts = { promptTokens, completionTokens: 0, cachedReadTokens, cachedWriteTokens: 0 }
    return book && priceOf({ providerId, model, ...counts }, book, toTime(now()))
  }
  const [anew, cached] = [cost(0), cost(promptTokens)]
  if (anew === undefined || cached === undefined) return broken
  return { ...broken, costMicrocents: Math.max(0, anew - cached) }
}
