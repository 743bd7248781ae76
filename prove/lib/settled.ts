/** What is true of a session whose runs have all come to their end, whoever worked on them. */
import type { Store } from '@holdfast/core'
import { DEFAULT_TENANT } from '@holdfast/protocol'
import { providerViewOf } from './inside.ts'
import { providerNames, providers, requestFrom } from './providers/index.ts'
import type { RawEvent, StoredSession } from './stored.ts'

/** Each run ends, and ends once. */
export function endProblems(events: readonly RawEvent[]): string[] {
  const ends = ['run.completed', 'run.failed', 'run.cancelled']
  const runs = events.filter(({ type }) => type === 'run.started').map(({ data }) => data.runId)
  return runs.flatMap((runId) => {
    const ended = events.filter(({ type, data }) => ends.includes(type) && data.runId === runId)
    return ended.length === 1 ? [] : [`run ${runId} ended ${ended.length} times`]
  })
}

/** No call is answered twice. */
export function resultProblems(events: readonly RawEvent[]): string[] {
  const answered = events
    .filter(({ type }) => type === 'tool.finished')
    .map(({ data }) => String(data.callId))
  return answered
    .filter((callId, at) => answered.indexOf(callId) !== at)
    .map((callId) => `call ${callId} has two results`)
}

/** Every provider takes the view. */
export function viewProblems(stored: StoredSession): string[] {
  const request = requestFrom(providerViewOf(stored))
  return providerNames.flatMap((name) => providers[name](request).map((fault) => `${name}: ${fault}`))
}

export async function draftProblems(store: Store, session: string): Promise<string[]> {
  const open = await store.listDrafts(DEFAULT_TENANT, session)
  return open.map(({ draftId }) => `draft ${draftId} outlives its run`)
}
