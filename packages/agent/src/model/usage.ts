/** What a model call used, as the ledger takes it: the provider's own figures where it gives them, else ours, and marked so. */
import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import type { JsonObject, UsageInput } from '@holdfast/protocol'
import { hourWrites } from './prompt-usage.ts'
import { wrapped } from './storable.ts'

export type Counts = Pick<
  UsageInput,
  | 'promptTokens'
  | 'completionTokens'
  | 'reasoningTokens'
  | 'cachedReadTokens'
  | 'cachedWriteTokens'
  | 'cachedWriteHourTokens'
  | 'estimated'
  | 'raw'
>

/** What was counted here, or told before the answer, for figures that the provider does not give. */
export type Estimate = Pick<Counts, 'promptTokens' | 'completionTokens'> &
  Partial<
    Pick<Counts, 'reasoningTokens' | 'cachedReadTokens' | 'cachedWriteTokens' | 'cachedWriteHourTokens'>
  >

/** `estimate` is asked only where the provider left something out. */
export function countsOf(usage: LanguageModelV4Usage | undefined, estimate: () => Estimate): Counts {
  const prompt = count(usage?.inputTokens.total)
  const completion = count(usage?.outputTokens.total)
  const isReported = prompt !== undefined && completion !== undefined
  const guess = isReported ? undefined : estimate()
  const cachedReadTokens = count(usage?.inputTokens.cacheRead) ?? guess?.cachedReadTokens ?? 0
  const cachedWriteTokens = count(usage?.inputTokens.cacheWrite) ?? guess?.cachedWriteTokens ?? 0
  const completionTokens = completion ?? guess?.completionTokens ?? 0
  const reasoning = count(usage?.outputTokens.reasoning) ?? guess?.reasoningTokens ?? 0
  return {
    promptTokens: Math.max(prompt ?? guess?.promptTokens ?? 0, cachedReadTokens + cachedWriteTokens),
    completionTokens,
    reasoningTokens: Math.min(completionTokens, reasoning),
    cachedReadTokens,
    cachedWriteTokens,
    ...hourTokens(usage, guess, cachedWriteTokens),
    estimated: !isReported,
    ...(usage?.raw && { raw: wrapped(usage.raw) as JsonObject }),
  }
}

/** Of an answer that was broken off the provider told before it. */
function hourTokens(
  usage: LanguageModelV4Usage | undefined,
  guess: Estimate | undefined,
  cachedWriteTokens: number,
): Pick<Counts, 'cachedWriteHourTokens'> {
  if (usage?.raw) return hourWrites(usage.raw as JsonObject, cachedWriteTokens)
  const tokens = Math.min(guess?.cachedWriteHourTokens ?? 0, cachedWriteTokens)
  return tokens > 0 ? { cachedWriteHourTokens: tokens } : {}
}

function count(value: number | undefined): number | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
