/** What a provider says of the prompt's tokens before it answers: it holds also when the answer is broken off. */
import type { LanguageModelV4Content } from '@ai-sdk/provider'
import type { JsonObject, UsageInput } from '@holdfast/protocol'

export type PromptUsage = Pick<
  UsageInput,
  'promptTokens' | 'cachedReadTokens' | 'cachedWriteTokens' | 'cachedWriteHourTokens'
>

type Custom = Extract<LanguageModelV4Content, { type: 'custom' }>

/** Bookkeeping of the stream, and no part of what was said. */
export function isMessageStart({ kind }: Custom): boolean {
  return kind.endsWith('.message_start')
}

/** Undefined where it says nothing of tokens. Cached ones are beside the input here, and inside the prompt with us. */
export function promptUsageOf({ providerMetadata = {} }: Custom): PromptUsage | undefined {
  const [told] = Object.values(providerMetadata)
  const usage = told?.usage as JsonObject | undefined
  if (typeof usage?.input_tokens !== 'number') return undefined
  const cachedReadTokens = countOf(usage.cache_read_input_tokens)
  const cachedWriteTokens = countOf(usage.cache_creation_input_tokens)
  const promptTokens = usage.input_tokens + cachedReadTokens + cachedWriteTokens
  return { promptTokens, cachedReadTokens, cachedWriteTokens, ...hourWrites(usage, cachedWriteTokens) }
}

/** As Anthropic tells it. */
export function hourWrites(
  raw: JsonObject | undefined,
  cachedWriteTokens: number,
): Pick<UsageInput, 'cachedWriteHourTokens'> {
  const told = (raw?.cache_creation as JsonObject | null | undefined)?.ephemeral_1h_input_tokens
  const tokens = Number.isSafeInteger(told) ? Math.min(told as number, cachedWriteTokens) : 0
  return tokens > 0 ? { cachedWriteHourTokens: tokens } : {}
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
