/** Claude's usage figures as a ledger row. Claude Code files carry no price, so the price book gives one, or nobody does. */
import type { JsonObject, UsageRecord } from '@holdfast/protocol'
import { objectOf } from './entry.ts'

export interface ModelCall {
  /** `msg_…`: one message is one answered request, however many lines it fills. */
  messageId: string
  model: string | undefined
  usage: JsonObject
  at: string | undefined
}

export const providerId = 'anthropic'

/** Undefined when the figures are none: no row is better than a row of zeros. */
export function usageOf(call: ModelCall, price: PriceOf): UsageRecord | undefined {
  const { usage, model } = call
  const input = countOf(usage.input_tokens)
  const completionTokens = countOf(usage.output_tokens)
  if (input === undefined || completionTokens === undefined) return undefined
  const cachedWriteTokens = countOf(usage.cache_creation_input_tokens) ?? 0
  const cachedReadTokens = countOf(usage.cache_read_input_tokens) ?? 0
  const tokens = {
    promptTokens: input + cachedWriteTokens + cachedReadTokens,
    completionTokens,
    cachedReadTokens,
    cachedWriteTokens,
  }
  return {
    attemptId: call.messageId,
    purpose: 'turn',
    status: 'ok',
    providerId,
    ...(model !== undefined && { model }),
    ...tokens,
    reasoningTokens: 0,
    estimated: false,
    raw: usage,
    ...(isPlain(usage) ? price({ providerId, model, ...tokens }) : { costSource: 'unknown' }),
  }
}

export interface PricedCall {
  providerId: string
  model: string | undefined
  promptTokens: number
  completionTokens: number
  cachedReadTokens: number
  cachedWriteTokens: number
}

export type PriceOf = (
  call: PricedCall,
) => Pick<UsageRecord, 'costSource'> & Partial<Pick<UsageRecord, 'costMicrocents' | 'priceBook'>>

/** One-hour cache writes and searches on the server have prices of their own, which the book does not hold. */
function isPlain(usage: JsonObject): boolean {
  const hourWrites = countOf(objectOf(usage.cache_creation)?.ephemeral_1h_input_tokens) ?? 0
  const searches = countOf(objectOf(usage.server_tool_use)?.web_search_requests) ?? 0
  return hourWrites === 0 && searches === 0
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
