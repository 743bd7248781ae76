import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import { expect, test } from 'vitest'
import { promptUsageOf } from './prompt-usage.ts'
import { countsOf } from './usage.ts'

const never = () => {
  throw new Error('nobody need guess')
}

const usage = (raw: LanguageModelV4Usage['raw']): LanguageModelV4Usage => ({
  inputTokens: { total: 100, noCache: 40, cacheRead: 40, cacheWrite: 20 },
  outputTokens: { total: 10, text: 10, reasoning: 0 },
  ...(raw && { raw }),
})

test.each([
  [{ cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 15 } }, 15],
  [{ cache_creation: { ephemeral_1h_input_tokens: 99 } }, 20],
  [{ cache_creation: { ephemeral_1h_input_tokens: 0 } }, undefined],
  [{ cache_creation: { ephemeral_1h_input_tokens: 'many' } }, undefined],
  [{ cache_creation: null }, undefined],
  [{}, undefined],
  [undefined, undefined],
])('of %j so many tokens are kept for an hour: %s', (raw, cachedWriteHourTokens) => {
  const counted = countsOf(usage(raw), never)
  expect(counted).toMatchObject({ promptTokens: 100, cachedReadTokens: 40, cachedWriteTokens: 20 })
  expect(counted.cachedWriteHourTokens).toBe(cachedWriteHourTokens)
})

test('of an answer that was broken off it is what the provider told before it', () => {
  const told = {
    input_tokens: 5,
    cache_creation_input_tokens: 20,
    cache_creation: { ephemeral_1h_input_tokens: 15 },
  }
  const start = {
    type: 'custom' as const,
    kind: 'anthropic.message_start' as const,
    providerMetadata: { anthropic: { usage: told } },
  }
  const prompt = promptUsageOf(start)
  expect(prompt).toEqual({
    promptTokens: 25,
    cachedReadTokens: 0,
    cachedWriteTokens: 20,
    cachedWriteHourTokens: 15,
  })
  const counted = countsOf(undefined, () => ({ promptTokens: 0, completionTokens: 3, ...prompt }))
  expect(counted).toMatchObject({ cachedWriteTokens: 20, cachedWriteHourTokens: 15, estimated: true })
})
