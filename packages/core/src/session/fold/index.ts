/** `fold(state, event)`: the one way that an event changes what a session is. Pure; never reads beyond the state. */
import type { EventType } from '@holdfast/protocol'
import { eventSchemas, isErased } from '@holdfast/protocol'
import type { FoldEvent, Head, PartName, State } from '../state.ts'
import { foldContext } from './context.ts'
import type { Draft, Folder, Folders } from './folder.ts'
import { foldMessages } from './messages.ts'
import { foldRuns } from './runs.ts'
import { foldSession, headFromCreated, headFromForked } from './session.ts'
import { foldWork } from './work.ts'

const folders = {
  ...foldSession,
  ...foldMessages,
  ...foldRuns,
  ...foldWork,
  ...foldContext,
} as Folders<EventType>

/** Parts that must be loaded before an event of this type is folded. */
export function partsOf(type: string): readonly PartName[] {
  return Object.hasOwn(folders, type) ? (folders[type as EventType].parts ?? []) : []
}

/** The state after `event`; the one before stays as it is. Throws only when events come out of order: a broken invariant. */
export function fold(state: State | undefined, event: FoldEvent): State {
  requireNext(state, event)
  return applyTo(begin(state, event), state === undefined, event)
}

/** As `fold`, on a state that nobody else holds: its head and parts are changed, not copied. */
export function foldInPlace(state: State, event: FoldEvent): State {
  requireNext(state, event)
  return applyTo(event.type === 'session.forked' ? begin(state, event) : state, false, event)
}

function requireNext(state: State | undefined, event: FoldEvent): void {
  if (state !== undefined && event.seq !== state.head.seq + 1) {
    throw new Error(`event ${event.seq} does not follow ${state.head.seq} in session ${state.head.id}`)
  }
}

function begin(state: State | undefined, event: FoldEvent): Draft {
  if (event.type === 'session.forked') return headFromForked(state, event)
  if (state === undefined) return headFromCreated(event)
  return { head: copyHead(state.head), parts: { ...state.parts } }
}

function applyTo(draft: Draft, isFirst: boolean, event: FoldEvent): State {
  if (event.critical && !Object.hasOwn(eventSchemas, event.type)) draft.head.readOnly = true
  if (!isFirst || event.type === 'session.created') applyKnown(draft, event)
  stamp(draft.head, event)
  return draft
}

/** Erased messages keep the shape that counting and pairing rest on. */
const foldedErased: ReadonlySet<string> = new Set(['message.appended', 'tool.finished'])

/** Copies what folders change in place; the rest is shared with the state before. */
function copyHead(head: Head): Head {
  return { ...head, counters: { ...head.counters }, spend: { ...head.spend } }
}

function applyKnown(draft: Draft, event: FoldEvent): void {
  if (!Object.hasOwn(folders, event.type) || (isErased(event) && !foldedErased.has(event.type))) return
  const folder = folders[event.type as EventType] as { fold: Folder<EventType> }
  folder.fold(draft, event.data as never, event)
}

function stamp(head: Head, event: FoldEvent): void {
  head.seq = event.seq
  if (event.runId === undefined) head.version = event.seq
  if (event.type !== 'context.cleared') head.updatedAt = event.at
}

/** The state of a whole log, from its first event: the slow way, for tests, repair and rebuilding. */
export function foldAll(events: Iterable<FoldEvent>): State | undefined {
  let state: State | undefined
  for (const event of events) state = fold(state, event)
  return state
}
