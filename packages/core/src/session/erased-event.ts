/**
 * An event after erasure: its place, type and time stay, and what the state rests on; what a person wrote or a tool gave
 * is gone, and so is who it was and in which trace. What a forgotten event had set (a title, tasks, metadata) is then no longer set.
 */
import type { EventData, EventType } from '@holdfast/protocol'
import type { FoldEvent } from './state.ts'

/** `forgotten`: ids of a person to forget; who else takes part in a session stays. */
export function erasedEvent(event: FoldEvent, forgotten: ReadonlySet<string> = new Set()): FoldEvent {
  const strip = Object.hasOwn(strips, event.type) ? strips[event.type as EventType] : undefined
  const data = strip ? strip(event.data as never) : { erased: true }
  const kept = JSON.parse(JSON.stringify(data))
  if (forgotten.has(kept.userParticipantId)) delete kept.userParticipantId
  const { traceId: _trace, ...rest } = event
  return { ...rest, actor: { kind: event.actor.kind }, data: kept }
}

const same = (data: unknown): unknown => data

/** How much of each type stays. A type that is not here becomes `{erased: true}`, and the fold skips it. */
const strips: { [T in EventType]?: (data: EventData<T>) => unknown } = {
  'session.created': ({ title: _title, goalText: _goal, metadata: _metadata, ...identity }) => identity,
  'session.forked': ({ title: _title, goalText: _goal, ...identity }) => identity,
  'message.appended': erasedMessage,
  'tool.finished': ({ callId, messageId }) => ({
    erased: true,
    callId,
    output: null,
    outcome: 'unknown',
    messageId,
  }),
  'run.failed': ({ runId }) => ({ runId, error: 'erased' }),
  'run.cancelled': ({ runId }) => ({ runId }),
  'run.stop_requested': ({ runId }) => ({ runId }),
  'session.closed': ({ outcome }) => ({ outcome }),
  'question.answered': ({ questionId, custom }) => ({ questionId, answer: null, custom }),
  'question.withdrawn': ({ questionId }) => ({ questionId }),
  'question.expired': ({ questionId }) => ({ questionId }),
  'child.finished': ({ childId, outcome, spent }) => ({ childId, outcome, spent }),
  'session.activated': same,
  'session.pinned': same,
  'session.held': ({ held }) => ({ held }),
  'session.model_changed': same,
  'session.effort_changed': same,
  'session.expired': same,
  'session.erased': ({ seqs }) => ({ seqs }),
  'message.edited': same,
  'message.truncated': same,
  'message.restored': same,
  'input.delivered': same,
  'tool.called': same,
  'run.started': same,
  'run.suspended': same,
  'run.resumed': same,
  'run.finalizing': same,
  'run.completed': same,
  'round.started': same,
  'round.completed': same,
  'usage.recorded': ({ raw: _raw, ...figures }) => figures,
  'lease.taken': same,
  'lease.lost': same,
  'child.spawned': same,
  'context.measured': same,
  'context.pressure': same,
  'context.trimmed': same,
  'context.cleared': same,
  'provider_context.opened': ({ responseId: _response, ...opened }) => opened,
  'provider_context.invalidated': ({ contextId }) => ({ contextId, reason: 'erased' }),
  'budget.set': same,
  'budget.reserved': same,
  'budget.settled': same,
  'checkpoint.saved': same,
}

/** The shape that pairing and counting rest on: role, ids, its calls. */
function erasedMessage(data: EventData<'message.appended'>) {
  const { role, messageId, phase, replyTo, finish, firstAnswer, waiting, replaces } = data
  const parts = data.parts.flatMap((part) =>
    part.type === 'tool_call' ? [{ ...part, input: null, provider: undefined }] : [],
  )
  return { erased: true, role, parts, messageId, phase, replyTo, finish, firstAnswer, waiting, replaces }
}
