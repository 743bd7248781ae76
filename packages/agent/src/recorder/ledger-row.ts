/** A row of the ledger for an attempt: as the provider counted it, or as we guess and say so. */
import { rate } from '@holdfast/core'
import { toTime, type UsageInput, type UsageRecord, usageRecord } from '@holdfast/protocol'
import type { Counts } from '../model/usage.ts'
import type { Settings } from './options.ts'

/** Tokens of an attempt. */
export type Counted = Partial<Counts> &
  Pick<Counts, 'promptTokens' | 'completionTokens'> &
  Pick<UsageInput, 'costMicrocents'>

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
