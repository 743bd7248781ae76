/** What a model call used, as the ledger takes it: the provider's own figures where it gives them, else ours, and marked so. */
import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import type { JsonObject, UsageInput } from '@holdfast/protocol'
import { wrapped } from './storable.ts'

type Counts = Pick<
  UsageInput,
  | 'promptTokens'
  | 'completionTokens'
  | 'reasoningTokens'
  | 'cachedReadTokens'
  | 'cachedWriteTokens'
  | 'estimated'
  | 'raw'
>

/** What was counted here, for figures that the provider does not give. */
export interface Estimate {
  promptTokens: number
  completionTokens: number
}

export function countsOf(usage: LanguageModelV4Usage | undefined, estimate: Estimate): Counts {
  const prompt = count(usage?.inputTokens.total)
  const completion = count(usage?.outputTokens.total)
  const promptTokens = prompt ?? estimate.promptTokens
  const completionTokens = completion ?? estimate.completionTokens
  const cachedReadTokens = Math.min(promptTokens, count(usage?.inputTokens.cacheRead) ?? 0)
  return {
    promptTokens,
    completionTokens,
    reasoningTokens: Math.min(completionTokens, count(usage?.outputTokens.reasoning) ?? 0),
    cachedReadTokens,
    cachedWriteTokens: Math.min(promptTokens - cachedReadTokens, count(usage?.inputTokens.cacheWrite) ?? 0),
    estimated: prompt === undefined || completion === undefined,
    ...(usage?.raw && { raw: wrapped(usage.raw) as JsonObject }),
  }
}

function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
