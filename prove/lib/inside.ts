/** The pure functions that the audit compares the stored log with: the fold, and the view that a provider is sent. */
import { contextView, foldAll, type ProviderMessage, providerView, viewStateOf } from '@holdfast/core'
import type { Turn } from './pairing.ts'
import type { StoredSession } from './stored.ts'

/** The head as it follows from the log, from its first event. */
export function foldedHead({ events }: StoredSession): Record<string, unknown> {
  return { ...foldAll(events)?.head }
}

/** The whole context as the engine would send it to a provider. */
export function providerViewOf({ events }: StoredSession): ProviderMessage[] {
  const state = foldAll(events)
  return state ? providerView(contextView(events, viewStateOf(state))) : []
}

/** The same, as who calls and who answers. */
export function viewOf(session: StoredSession): Turn[] {
  return providerViewOf(session).map(({ role, parts }) => ({
    role,
    calls: ids(parts, 'tool_call'),
    answers: ids(parts, 'tool_result'),
  }))
}

function ids(parts: readonly { type: string; callId?: string }[], type: string): string[] {
  return parts.flatMap((part) => (part.type === type && part.callId !== undefined ? [part.callId] : []))
}
