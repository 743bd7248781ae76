/** What the store keeps beside the events so that they can be found: each is a pure function of the events. */
import { type EventData, type EventType, isErased, type MessagePart } from '@holdfast/protocol'
import type { RefKind } from './deciding.ts'
import { messageIdOf } from './fold/messages.ts'
import type { FoldEvent, Head } from './state.ts'

export interface Ref {
  kind: RefKind
  id: string
  seq: number
}

/** What of a head tells which user messages wait for an answer. */
export type Asked = Pick<Head, 'unanswered' | 'waiting'>

/** The chosen ids of an event, those that are not erased. `before` and `after` are of the heads around it. */
export function refsOf(before: Asked | undefined, event: FoldEvent, after: Asked): Ref[] {
  const refs: Ref[] = []
  const ids = Object.hasOwn(refIds, event.type) ? refIds[event.type as EventType] : undefined
  for (const [kind, id] of ids?.(event.data as never) ?? [])
    if (id !== undefined) refs.push({ kind, id, seq: event.seq })
  if (before !== undefined) refs.push(...answerRefs(before, event, after))
  return refs
}

/** An erased event may have none left. */
type RefIds = { [T in EventType]?: (data: EventData<T>) => [RefKind, string | undefined][] }

const refIds: RefIds = {
  'message.appended': (data) => [
    ...messageRef(data.messageId),
    ...protectedRef(data.role === 'system' || data.neverCompress === true),
  ],
  'tool.called': (data) => [['call', data.callId]],
  'tool.finished': (data) => [
    ['result', data.callId],
    ...messageRef(data.messageId),
    ...protectedRef(data.neverCompress === true),
  ],
  'input.delivered': (data) => data.messageIds.map((id) => ['delivered', id]),
  'run.started': (data) => [['run', data.runId]],
  'usage.recorded': (data) => [['attempt', data.attemptId]],
  'question.asked': (data) => [['question', data.questionId]],
  'child.spawned': (data) => [['child', data.childId]],
  'compaction.applied': (data) => [['compaction', data.compactionId]],
}

function messageRef(messageId: string | undefined): [RefKind, string][] {
  return messageId === undefined ? [] : [['message', messageId]]
}

/** The one id under which a session's protected messages are found, so that a context is read without what is covered. */
export const PROTECTED = 'all'

function protectedRef(isProtected: boolean): [RefKind, string][] {
  return isProtected ? [['protected', PROTECTED]] : []
}

/** User messages pushed out of the head's short list, and the late answers to such messages. */
function answerRefs(before: Asked, event: FoldEvent, after: Asked): Ref[] {
  if (event.type === 'message.appended') {
    const data = event.data as EventData<'message.appended'>
    if (data.firstAnswer && data.replyTo !== undefined && !before.unanswered.includes(data.replyTo)) {
      return [{ kind: 'answered', id: data.replyTo, seq: event.seq }]
    }
  }
  const entering = enteringView(before, event)
  if (entering.length === 0) return []
  const gone = [...before.unanswered, ...entering].filter((id) => !after.unanswered.includes(id))
  return gone.map((id) => ({ kind: 'unanswered', id, seq: event.seq }))
}

/** User messages that take their place in the view with this event. */
function enteringView(before: Asked, event: FoldEvent): string[] {
  if (event.type === 'input.delivered') {
    const { messageIds } = event.data as EventData<'input.delivered'>
    return before.waiting.flatMap((input) =>
      input.role === 'user' && messageIds.includes(input.messageId) ? [input.messageId] : [],
    )
  }
  if (event.type !== 'message.appended') return []
  const data = event.data as EventData<'message.appended'>
  return data.role === 'user' && !data.waiting ? [messageIdOf(data, event)] : []
}

/** Text of a stored event that search finds it by: message text, tool calls and results, notes and titles. */
export function textOf(type: string, body: string): string | undefined {
  if (!Object.hasOwn(texts, type)) return undefined
  const { data } = JSON.parse(body) as { data: unknown }
  if (isErased({ data })) return undefined
  const words = texts[type as EventType]?.(data as never).filter((text) => text !== '')
  return words && words.length > 0 ? words.join('\n') : undefined
}

const texts: { [T in EventType]?: (data: EventData<T>) => string[] } = {
  'message.appended': (data) => data.parts.flatMap(partTexts),
  'tool.finished': (data) => [stringsIn(data.output)],
  'note.added': (data) => [data.text ?? ''],
  'session.created': (data) => [data.title ?? '', data.goalText ?? ''],
  'session.forked': (data) => [data.title ?? '', data.goalText ?? ''],
  'session.renamed': (data) => [data.title ?? ''],
  'compaction.applied': (data) => [data.summary],
  'question.asked': (data) => [data.question, ...data.options],
}

function partTexts(part: MessagePart): string[] {
  switch (part.type) {
    case 'text':
    case 'reasoning':
      return [part.text]
    case 'tool_call':
      return [part.name, stringsIn(part.input)]
    case 'tool_result':
      return [stringsIn(part.output)]
    case 'data':
      return [part.name, stringsIn(part.data)]
    default:
      return [part.name ?? '']
  }
}

/** Keys, strings and numbers of a JSON value as words; the marks of JSON are none. */
function stringsIn(value: unknown): string {
  if (typeof value === 'string') return value
  if (value === null || typeof value !== 'object') return String(value)
  const words = Array.isArray(value)
    ? value.map(stringsIn)
    : Object.entries(value).map(([key, item]) => `${key} ${stringsIn(item)}`)
  return words.join(' ')
}
