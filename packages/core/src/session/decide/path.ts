/** Decisions that change the visible path: edit, truncate, undo, redo. None while a run has not ended. */
import type { EventData } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  type NewEvent,
  nothing,
  readEvent,
  readPart,
  readRefs,
  readState,
  refuse,
} from '../deciding.ts'
import { isVisible } from '../path.ts'
import type { Head } from '../state.ts'
import { requireNoRun } from './guard.ts'
import { findMessage } from './message-ids.ts'
import { appendEvents } from './messages.ts'
import { invalidateContext } from './provider-context.ts'
import { closeOpenCalls } from './run-end.ts'
import { refuseInsideRound } from './session.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>
type Cut = Omit<EventData<'message.truncated'>, 'mode'>

export const decideTruncate: Decide<Only<'truncate'>> = function* (head, { seq }) {
  requireNoRun(head, 'truncate')
  if (seq === head.seq) return nothing
  const cut = yield* cutAfter(head, seq)
  return {
    events: [
      { type: 'message.truncated', data: { mode: 'truncate', ...cut } },
      ...invalidateContext(head, 'truncated'),
    ],
  }
}

/** Open calls are closed first, so that a redo brings back no call that nobody can answer. */
export const decideUndo: Decide<Only<'undo'>> = function* (head) {
  requireNoRun(head, 'undo')
  if (!head.lastUser) refuse('nothing_to_undo', `session ${head.id} has no user message to undo`)
  const cut = yield* cutAfter(head, head.lastUser.seq - 1)
  const undone: NewEvent = { type: 'message.truncated', data: { mode: 'undo', ...cut } }
  return { events: [...closeOpenCalls(head, {}), undone, ...invalidateContext(head, 'undone')] }
}

export const decideRedo: Decide<Only<'redo'>> = function* (head) {
  requireNoRun(head, 'redo')
  const undone = head.canRedo ? (yield* readPart('path'))?.undos.at(-1) : undefined
  if (!undone) refuse('nothing_to_redo', `session ${head.id} has no undo to take back`)
  const before = yield* readState(undone.undoSeq - 1)
  return {
    events: [
      { type: 'message.restored', data: { undoSeq: undone.undoSeq, ...standing(before.head) } },
      ...invalidateContext(head, 'restored'),
    ],
  }
}

/** The path is cut before the message; its replacement is appended in the same commit. */
export const decideEdit: Decide<Only<'edit'>> = function* (head, { messageId, message }, env) {
  requireNoRun(head, 'edit')
  if (message.role === 'tool') refuse('invalid_input', 'a tool result cannot be put in place of a message')
  const place = yield* placeOf(head, messageId)
  const cut = yield* cutAfter(head, place - 1)
  const edited: NewEvent = { type: 'message.edited', data: { messageId, ...cut } }
  const after = { ...head, openCalls: [], unanswered: cut.unanswered, lastUser: cut.lastUser } as Head
  const appended = yield* appendEvents(after, { type: 'append', message, policy: 'reject' }, env)
  return {
    events: [
      edited,
      ...appended.map((event) => replacing(event, messageId)),
      ...invalidateContext(head, 'edited'),
    ],
  }
}

function replacing(event: NewEvent, messageId: string): NewEvent {
  return event.type === 'message.appended'
    ? { ...event, data: { ...event.data, replaces: messageId } }
    : event
}

/** Seq at which a message stands in the view: its own, or that of its delivery when it waited for a run. */
function* placeOf(head: Head, messageId: string): Deciding<number> {
  const seq = yield* findMessage(head, messageId)
  const event = seq === undefined ? undefined : yield* readEvent(seq)
  if (seq === undefined || event?.type !== 'message.appended') {
    return refuse('not_found', `session ${head.id} has no message ${messageId}`)
  }
  const data = event.data as EventData<'message.appended'>
  if (!data.waiting) return seq
  return (yield* readRefs('delivered', messageId)).at(-1) ?? seq
}

function* cutAfter(head: Head, keepThrough: number): Deciding<Cut> {
  const ranges = (yield* readPart('path'))?.ranges ?? []
  if (keepThrough < 1 || keepThrough > head.seq || !isVisible(ranges, keepThrough)) {
    refuse('not_on_path', `seq ${keepThrough} is not on the visible path of session ${head.id}`, {
      seq: keepThrough,
    })
  }
  const kept = yield* readState(keepThrough)
  if (kept.head.openCalls.length > 0) refuseInsideRound(kept.head)
  return { keepThrough, ...standing(kept.head) }
}

/** The counts that follow the path. Input that still waited there never entered the view. */
function standing(head: Head): Omit<Cut, 'keepThrough'> {
  const { messageCount, exchangeCount } = head.counters
  return {
    messageCount: messageCount - head.waiting.length,
    exchangeCount,
    unanswered: head.unanswered,
    ...(head.lastUser && { lastUser: head.lastUser }),
  }
}
