/**
 * What of a session stands in its context: the visible messages in the order in which they entered the view, with a
 * summary in place of what a compaction covers. Pure: the same events give the same items, byte for byte.
 */
import type { EventData, Message } from '@holdfast/protocol'
import { isErased } from '@holdfast/protocol'
import { messageOf } from '../session/messages.ts'
import { isVisible } from '../session/path.ts'
import {
  type CompactionPart,
  type ContextPart,
  type FoldEvent,
  loadedPart,
  type Overlay,
  type PathRange,
  type State,
} from '../session/state.ts'
import { excerpt, shortenMessage } from './tool-output.ts'

/** `place` is the seq at which it stands in the view; input that waited stands where it was delivered. */
export type ViewItem =
  | { type: 'message'; place: number; message: Message }
  | { type: 'summary'; place: number; compactionId: string; text: string }
  | { type: 'late_result'; place: number; callId: string; data: unknown }

export type PlacedMessage = Extract<ViewItem, { type: 'message' }>

/** The parts that a view depends on. */
export interface ViewState {
  ranges: readonly PathRange[]
  overlays?: CompactionPart['overlays']
  trimmedThrough?: ContextPart['trimmedThrough']
}

/** What a view depends on, from a state with the parts `path`, `compaction` and `context` loaded. */
export function viewStateOf({ parts }: State): ViewState {
  const trimmedThrough = loadedPart(parts, 'context')?.trimmedThrough
  return {
    ranges: loadedPart(parts, 'path')?.ranges ?? [],
    overlays: loadedPart(parts, 'compaction')?.overlays ?? [],
    ...(trimmedThrough !== undefined && { trimmedThrough }),
  }
}

/** The live context: the cost of reading it is that of what it shows. */
export function contextView(events: Iterable<FoldEvent>, state: ViewState): ViewItem[] {
  const log = [...events]
  const visible = visibleItems(log, state.ranges)
  const kept = protectedItems(visible)
  const overlays = state.overlays ?? []
  const applied = new Map(
    log.filter((event) => event.type === 'compaction.applied').map((event) => [event.seq, event]),
  )
  const summaries = overlays.flatMap((overlay) => summaryItem(applied, overlay))
  const standing = visible.filter(
    (item) => kept.has(item) || !overlays.some((overlay) => covers(overlay, item)),
  )
  const shown = standing.map((item) => trimmed(item, kept.has(item) ? 0 : (state.trimmedThrough ?? 0)))
  return inOrder([...summaries, ...shown])
}

/** The messages of the visible path, in order, none of them replaced: for readers, for export, for the views of others. */
export function messagesInView(
  events: Iterable<FoldEvent>,
  { ranges }: Pick<ViewState, 'ranges'>,
): Message[] {
  return visibleItems([...events], ranges).flatMap((item) => (item.type === 'message' ? [item.message] : []))
}

/** Ids of the messages that a summary stands for. */
export function coveredMessages(events: Iterable<FoldEvent>, state: ViewState): Set<string> {
  const shown = new Set(
    contextView(events, state).map((item) => (item.type === 'message' ? item.message.id : '')),
  )
  return new Set(messagesInView(events, state).flatMap(({ id }) => (shown.has(id) ? [] : [id])))
}

/** Waiting input is left out until it is delivered; what stands off the path is left out. */
function visibleItems(log: readonly FoldEvent[], ranges: readonly PathRange[]): ViewItem[] {
  const waiting = new Map<string, Message>()
  const items: ViewItem[] = []
  for (const event of log) {
    const message = messageOf(event)
    if (message?.waiting) waiting.set(message.id, message)
    if (!isVisible(ranges, event.seq)) continue
    if (event.type === 'input.delivered') items.push(...delivered(event, waiting))
    else if (message && !message.waiting) items.push({ type: 'message', place: event.seq, message })
    else items.push(...lateResult(event))
  }
  return items
}

function delivered(event: FoldEvent, waiting: ReadonlyMap<string, Message>): PlacedMessage[] {
  const { messageIds } = event.data as EventData<'input.delivered'>
  return messageIds.flatMap((id) => {
    const found = waiting.get(id)
    if (!found) return []
    const { waiting: _policy, ...message } = found
    return [{ type: 'message', place: event.seq, message }]
  })
}

function lateResult(event: FoldEvent): ViewItem[] {
  if (event.type !== 'note.added' || isErased(event)) return []
  const { kind, callId, data } = event.data as EventData<'note.added'>
  if (kind !== 'late_tool_result' || callId === undefined) return []
  return [{ type: 'late_result', place: event.seq, callId, data }]
}

/** Old tool outputs are shown as excerpts; every output is held to its limit. */
function trimmed(item: ViewItem, through: number): ViewItem {
  if (item.type !== 'message' || item.message.role !== 'tool') return item
  const held = shortenMessage(item.message)
  const message = item.place <= through ? shortenMessage(held, excerpt) : held
  return message === item.message ? item : { ...item, message }
}

/** Messages that no summary replaces. A call and its results are protected together. */
function protectedItems(items: readonly ViewItem[]): Set<ViewItem> {
  const kept = new Set<ViewItem>()
  for (const group of callGroups(items)) {
    if (group.some(isProtected)) for (const item of group) kept.add(item)
  }
  return kept
}

function isProtected(item: ViewItem): boolean {
  return item.type === 'message' && (item.message.neverCompress === true || item.message.role === 'system')
}

/** An assistant message with the tool results that follow it; any other item by itself. */
function callGroups(items: readonly ViewItem[]): ViewItem[][] {
  const groups: ViewItem[][] = []
  let calling: ViewItem[] = []
  for (const item of items) {
    if (item.type === 'message' && item.message.role === 'tool') {
      calling.push(item)
      continue
    }
    const group = [item]
    groups.push(group)
    if (item.type === 'message' && item.message.role === 'assistant') calling = group
  }
  return groups
}

function covers({ from, to }: Overlay, { place }: ViewItem): boolean {
  return from <= place && place <= to
}

/** The text stands in the overlay's event, which a truncation may have taken off the path. An erased one is gone. */
function summaryItem(
  applied: ReadonlyMap<number, FoldEvent>,
  { from, compactionId, seq }: Overlay,
): ViewItem[] {
  const event = applied.get(seq)
  if (!event || isErased(event)) return []
  return [
    {
      type: 'summary',
      place: from,
      compactionId,
      text: (event.data as EventData<'compaction.applied'>).summary,
    },
  ]
}

/** By place; a summary stands before the protected messages of its range. Sorting keeps the order of equals. */
function inOrder(items: ViewItem[]): ViewItem[] {
  return items.sort(
    (a, b) => a.place - b.place || Number(b.type === 'summary') - Number(a.type === 'summary'),
  )
}
