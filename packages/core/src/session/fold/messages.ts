import type { EventData } from '@holdfast/protocol'
import { cutOverlays, restoreOverlays } from '../overlays.ts'
import { closePath, cutPath } from '../path.ts'
import { type FoldEvent, type Head, loadedPart, type PathPart, unansweredKept } from '../state.ts'
import type { Draft, Folders } from './folder.ts'
import { assign } from './session.ts'

type MessageEvent =
  | 'message.appended'
  | 'message.edited'
  | 'message.truncated'
  | 'message.restored'
  | 'input.delivered'
  | 'tool.called'
  | 'tool.finished'

export const foldMessages: Folders<MessageEvent> = {
  'message.appended': {
    fold: ({ head }, data, event) => {
      head.counters.messageCount += 1
      assign(head, 'canRedo', undefined)
      const id = messageIdOf(data, event)
      if (data.role === 'user') head.lastActivityAt = event.at
      if (data.waiting)
        head.waiting = [...head.waiting, { messageId: id, role: data.role, policy: data.waiting }]
      else if (data.role === 'user') enterView(head, id, event)
      if (data.role === 'assistant') foldAssistantMessage(head, data, event)
    },
  },
  'message.edited': {
    parts: ['path', 'compaction'],
    fold: (draft, data, event) => cut(draft, data, event, []),
  },
  'message.truncated': {
    parts: ['path', 'compaction'],
    fold: (draft, data, event) => {
      const before = pathOf(draft)
      const undos = draft.head.canRedo ? before.undos : []
      const undone = { undoSeq: event.seq, ranges: before.ranges }
      cut(draft, data, event, data.mode === 'undo' ? [...undos, undone] : [])
      assign(draft.head, 'canRedo', data.mode === 'undo' ? true : undefined)
    },
  },
  'message.restored': {
    parts: ['path', 'compaction'],
    fold: (draft, data, event) => {
      const { undos } = pathOf(draft)
      const undone = undos.at(-1)
      if (undone?.undoSeq !== data.undoSeq) throw new Error(`undo ${data.undoSeq} is not the newest one`)
      const ranges = [...closePath(undone.ranges, data.undoSeq - 1), { from: event.seq }]
      draft.parts.path = { ranges, undos: undos.slice(0, -1) }
      draft.parts.compaction = restoreOverlays(loadedPart(draft.parts, 'compaction'), data.undoSeq)
      setCounts(draft.head, data, event)
      assign(draft.head, 'canRedo', undos.length > 1 ? true : undefined)
    },
  },
  'input.delivered': {
    fold: ({ head }, data, event) => {
      const arrived = head.waiting.filter((input) => data.messageIds.includes(input.messageId))
      head.waiting = head.waiting.filter((input) => !arrived.includes(input))
      for (const input of arrived) if (input.role === 'user') enterView(head, input.messageId, event)
    },
  },
  'tool.called': {
    fold: ({ head }) => {
      head.spend.toolCalls += 1
    },
  },
  'tool.finished': {
    fold: ({ head }, data) => {
      head.counters.messageCount += 1
      assign(head, 'canRedo', undefined)
      const left = head.openCalls.filter((callId) => callId !== data.callId)
      setOpenCalls(head, left, head.callsFrom)
    },
  },
}

/** A message without a chosen id is named by its seq. */
export function messageIdOf(data: { messageId?: string | undefined }, event: { seq: number }): string {
  return data.messageId ?? String(event.seq)
}

/** A user message takes its place in the view: at once, or where `input.delivered` stands. */
function enterView(head: Head, id: string, event: FoldEvent): void {
  head.lastUser = { id, seq: event.seq }
  head.unanswered = [...head.unanswered, id].slice(-unansweredKept)
}

function foldAssistantMessage(head: Head, data: EventData<'message.appended'>, event: FoldEvent): void {
  if (data.firstAnswer) {
    head.counters.exchangeCount += 1
    head.unanswered = head.unanswered.filter((id) => id !== data.replyTo)
  }
  const calls = data.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
  if (calls.length > 0) setOpenCalls(head, calls, event.seq)
}

function setOpenCalls(head: Head, calls: string[], from: number | undefined): void {
  head.openCalls = calls
  assign(head, 'callsFrom', calls.length > 0 ? from : undefined)
}

function pathOf(draft: Draft): PathPart {
  const path = loadedPart(draft.parts, 'path')
  if (!path) throw new Error(`session ${draft.head.id} has no path`)
  return path
}

function cut(
  draft: Draft,
  data: EventData<'message.edited' | 'message.truncated'>,
  event: FoldEvent,
  undos: PathPart['undos'],
): void {
  draft.parts.path = { ranges: cutPath(pathOf(draft).ranges, data.keepThrough, event.seq), undos }
  const undo = undos.length > 0 ? { undoSeq: event.seq, isFirst: undos.length === 1 } : undefined
  draft.parts.compaction = cutOverlays(loadedPart(draft.parts, 'compaction'), data.keepThrough, undo)
  setOpenCalls(draft.head, [], undefined)
  assign(draft.head, 'canRedo', undefined)
  setCounts(draft.head, data, event)
}

function setCounts(
  head: Head,
  data: EventData<'message.truncated' | 'message.restored' | 'message.edited'>,
  event: FoldEvent,
): void {
  head.counters.messageCount = data.messageCount
  head.counters.exchangeCount = data.exchangeCount
  head.unanswered = data.unanswered
  assign(head, 'lastUser', data.lastUser)
  head.pathSeq = event.seq
}
