import type { EventData } from '@holdfast/protocol'
import type { FoldEvent, Head } from './state.ts'

/** The ledger row of a `usage.recorded` event; undefined for any other. */
export function usageRowOf(event: FoldEvent, head: Head) {
  if (event.type !== 'usage.recorded') return undefined
  const {
    context: _context,
    raw: _raw,
    roundId: _roundId,
    ...data
  } = event.data as EventData<'usage.recorded'>
  return {
    attemptId: data.attemptId,
    seq: event.seq,
    at: data.at ?? event.at,
    runId: data.runId,
    rootSessionId: head.rootSessionId,
    ownerUserId: head.ownerUserId,
    agentId: head.agentId,
    providerId: data.providerId,
    model: data.model,
    purpose: data.purpose,
    status: data.status,
    promptTokens: data.promptTokens,
    completionTokens: data.completionTokens,
    reasoningTokens: data.reasoningTokens,
    cachedReadTokens: data.cachedReadTokens,
    cachedWriteTokens: data.cachedWriteTokens,
    cachedWriteHourTokens: data.cachedWriteHourTokens,
    costMicrocents: data.costMicrocents,
    costSource: data.costSource,
    priceBook: data.priceBook,
    estimated: data.estimated,
  }
}
