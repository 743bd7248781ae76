/** The stored body of an event after erasure: its place, type and time stay; what a person wrote or a tool gave is gone. */
import { erasedData } from '../session/projections.ts'
import type { FoldEvent } from '../session/state.ts'
import type { StoredEvent } from '../store/store.ts'
import { decodeEvent, encodeBody } from './event-codec.ts'
import type { Upcasters } from './upcast.ts'

type Strip = (data: Record<string, unknown>) => unknown

const same: Strip = (data) => data

/** Events that the state rests on: they lose their free text and stay what they were. */
const stripped: Readonly<Record<string, Strip>> = {
  'run.failed': ({ runId }) => ({ runId, error: 'erased' }),
  'run.cancelled': ({ runId }) => ({ runId }),
  'run.stop_requested': ({ runId }) => ({ runId }),
  'session.closed': ({ outcome }) => ({ outcome }),
  'question.answered': ({ questionId, custom }) => ({ questionId, answer: null, custom }),
  'question.withdrawn': ({ questionId }) => ({ questionId }),
  'question.expired': ({ questionId }) => ({ questionId }),
  'child.finished': ({ childId, outcome, spent }) => ({ childId, outcome, spent }),
  'session.pinned': same,
  'session.model_changed': same,
  'session.effort_changed': same,
  'round.completed': same,
  'context.measured': same,
  'context.pressure': same,
  'context.trimmed': same,
  'context.cleared': same,
  'provider_context.opened': same,
  'provider_context.invalidated': same,
  'budget.set': same,
  'checkpoint.saved': same,
}

/** The event as it reads from now on. Who did it is gone too; what kind of actor it was stays. */
export function erasedEvent(event: FoldEvent): FoldEvent {
  const strip = Object.hasOwn(stripped, event.type) ? stripped[event.type] : undefined
  const data = strip ? strip(event.data as Record<string, unknown>) : erasedData(event.type, event.data)
  return { ...event, actor: { kind: event.actor.kind }, data: JSON.parse(JSON.stringify(data)) }
}

export function erasedBody(row: StoredEvent, table: Upcasters): string {
  return encodeBody(erasedEvent(decodeEvent(row, table)))
}
