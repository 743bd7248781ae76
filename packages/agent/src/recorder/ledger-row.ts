/** A row of the ledger for an attempt: as the provider counted it, or as we guess and say so. */
import type { LanguageModelV4Usage } from '@ai-sdk/provider'
import { rate } from '@holdfast/core'
import { type JsonObject, toTime, type UsageInput, type UsageRecord, usageRecord } from '@holdfast/protocol'
import type { Settings } from './options.ts'

/** Tokens of an attempt. */
export type Counted = Pick<UsageInput, 'promptTokens' | 'completionTokens'> &
  Pick<
    Partial<UsageInput>,
    'reasoningTokens' | 'cachedReadTokens' | 'cachedWriteTokens' | 'estimated' | 'raw' | 'costMicrocents'
  >

export interface Attempt {
  attemptId: string
  /** Milliseconds: when the call was made. */
  startedAt: number
  status: 'ok' | 'failed' | 'aborted'
  providerId?: string
  model?: string
}

export function ledgerRow(attempt: Attempt, counted: Counted, { prices }: Settings): UsageRecord {
  const { startedAt, ...named } = attempt
  const at = toTime(startedAt)
  const reported = counted.costMicrocents !== undefined && { costSource: 'provider' as const }
  const row = usageRecord.parse({ ...named, at, ...counted, ...reported })
  if (!prices || row.costSource === 'provider') return row
  const cost = rate(row, prices.book, at)
  return { ...row, ...cost, ...(cost.costSource === 'price_book' && { priceBook: prices.name }) }
}

/** What the SDK says that the provider said. What it left out is counted by us, and the row says so. */
export function countedBy(usage: LanguageModelV4Usage, guess: () => Counted): Counted {
  const { inputTokens, outputTokens, raw } = usage
  const isReported = inputTokens.total !== undefined && outputTokens.total !== undefined
  const guessed = isReported ? undefined : guess()
  const cachedReadTokens = inputTokens.cacheRead ?? 0
  const cachedWriteTokens = inputTokens.cacheWrite ?? 0
  const completionTokens = outputTokens.total ?? guessed?.completionTokens ?? 0
  return {
    promptTokens: Math.max(
      inputTokens.total ?? guessed?.promptTokens ?? 0,
      cachedReadTokens + cachedWriteTokens,
    ),
    completionTokens,
    reasoningTokens: Math.min(outputTokens.reasoning ?? 0, completionTokens),
    ...{ cachedReadTokens, cachedWriteTokens, estimated: !isReported },
    ...(raw && { raw: raw as JsonObject }),
  }
}
