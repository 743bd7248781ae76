/** What a provider says of the prompt's tokens before it answers: it holds also when the answer is broken off. */
import type { LanguageModelV4Content } from '@ai-sdk/provider'
import type { JsonObject, UsageInput } from '@holdfast/protocol'

export type PromptUsage = Pick<UsageInput, 'promptTokens' | 'cachedReadTokens' | 'cachedWriteTokens'>

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
  return { promptTokens, cachedReadTokens, cachedWriteTokens }
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
