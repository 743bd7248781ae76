/** The pure functions that the audit compares the stored log with: the fold, and the view that a provider is sent. */
import {
  contextView,
  fold,
  type ProviderMessage,
  providerView,
  type State,
  viewStateOf,
} from '@holdfast/core'
import type { Turn } from './pairing.ts'
import type { RawEvent, StoredSession } from './stored.ts'

/** The head as it follows from the log, from its first event. The same object for the same log. */
export function foldedHead(session: StoredSession): object {
  return foldedState(session)?.head ?? {}
}

/** The whole context as the engine would send it to a provider. */
export function providerViewOf(session: StoredSession): ProviderMessage[] {
  const state = foldedState(session)
  return state ? providerView(contextView(session.events, viewStateOf(state))) : []
}

const turns = new WeakMap<State, Turn[]>()

/** The same, as who calls and who answers. */
export function viewOf(session: StoredSession): Turn[] {
  const state = foldedState(session)
  if (!state) return []
  const found = turns.get(state) ?? turnsOf(providerViewOf(session))
  turns.set(state, found)
  return found
}

function turnsOf(view: readonly ProviderMessage[]): Turn[] {
  return view.map(({ role, parts }) => ({
    role,
    calls: ids(parts, 'tool_call'),
    answers: ids(parts, 'tool_result'),
  }))
}

function ids(parts: readonly { type: string; callId?: string }[], type: string): string[] {
  return parts.flatMap((part) => (part.type === type && part.callId !== undefined ? [part.callId] : []))
}

interface Step {
  event: RawEvent
  state: State
}

/** The last log of each session, folded. The next to be audited mostly begins with the same events. */
const folded = new Map<string, Step[]>()

function foldedState({ sessionId, events }: StoredSession): State | undefined {
  const steps = folded.get(sessionId) ?? []
  folded.set(sessionId, steps)
  const fresh = events.findIndex((event, index) => event !== steps[index]?.event)
  steps.length = fresh < 0 ? events.length : fresh
  for (const event of events.slice(steps.length))
    steps.push({ event, state: fold(steps.at(-1)?.state, event) })
  return steps.at(-1)?.state
}
