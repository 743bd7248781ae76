/** What the SQL stores have alike in reading the ledger. */
import type { Row } from './row.ts'
import type { UsageRow } from './store.ts'

export interface UsageScope {
  sessionId?: string
  rootSessionId?: string
}

/** Which of four sums is asked for: one text each, so that each has its own plan. */
export type SumOf = 'tenant' | 'session' | 'root' | 'session and root'

export function sumOf({ sessionId, rootSessionId }: UsageScope): SumOf {
  if (rootSessionId === undefined) return sessionId === undefined ? 'tenant' : 'session'
  return sessionId === undefined ? 'root' : 'session and root'
}

/** In the order of their names in `SumOf`. */
export function namesIn({ sessionId, rootSessionId }: UsageScope): string[] {
  return [sessionId, rootSessionId].filter((name) => name !== undefined)
}

/** Values in the order of the columns, as a driver gives them: numbers may come as digits, and nothing as null. */
export function usageOf(row: Row): UsageRow {
  const [seq, attemptId, at, run, rootSessionId, owner, agentId, provider, model, purpose, status, ...sums] =
    row
  const [prompt, completion, reasoning, cachedRead, cachedWrite, cost, costSource, book, ...last] = sums
  const [estimated, cachedWriteHour] = last
  return {
    attemptId,
    seq: Number(seq),
    at,
    runId: run ?? undefined,
    rootSessionId,
    ownerUserId: owner ?? undefined,
    agentId,
    providerId: provider ?? undefined,
    model: model ?? undefined,
    purpose,
    status,
    promptTokens: Number(prompt),
    completionTokens: Number(completion),
    reasoningTokens: Number(reasoning),
    cachedReadTokens: Number(cachedRead),
    cachedWriteTokens: Number(cachedWrite),
    cachedWriteHourTokens: cachedWriteHour === null ? undefined : Number(cachedWriteHour),
    costMicrocents: cost === null ? undefined : Number(cost),
    costSource,
    priceBook: book ?? undefined,
    estimated: Number(estimated) === 1,
  }
}
