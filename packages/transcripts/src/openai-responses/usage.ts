/** What a response cost, as a row of the ledger. */
import type { Json, JsonObject, UsageRecord } from '@holdfast/protocol'
import { isName, objectOf } from './json.ts'

/** What goes before others, or waits for them, has prices of its own, which no book holds. */
export function isUsualTier(tier: Json | undefined): boolean {
  return tier === undefined || usualTiers.includes(tier)
}

const usualTiers: readonly Json[] = [null, 'default', 'auto', 'standard']

/** Undefined: it does not tell, or not which response it was. */
export function usageOf({ id, model, status, usage: told }: JsonObject): UsageRecord | undefined {
  const usage = objectOf(told)
  const input = countOf(usage?.input_tokens)
  const output = countOf(usage?.output_tokens)
  const attemptId = `response.${id}`
  if (!usage || input === undefined || output === undefined || !isName(id) || !isName(attemptId))
    return undefined
  const { cached_tokens } = objectOf(usage.input_tokens_details) ?? {}
  const { reasoning_tokens } = objectOf(usage.output_tokens_details) ?? {}
  return {
    attemptId,
    purpose: 'turn',
    status: statusOf(status),
    providerId: 'openai',
    ...(isName(model) && { model }),
    promptTokens: input,
    completionTokens: output,
    cachedReadTokens: Math.min(countOf(cached_tokens) ?? 0, input),
    cachedWriteTokens: 0,
    reasoningTokens: Math.min(countOf(reasoning_tokens) ?? 0, output),
    estimated: false,
    costSource: 'unknown',
    raw: usage,
  }
}

function statusOf(status: Json | undefined): UsageRecord['status'] {
  if (status === 'failed') return 'failed'
  return status === 'cancelled' ? 'aborted' : 'ok'
}

function countOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
