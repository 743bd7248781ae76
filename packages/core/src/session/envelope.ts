/** From a decided event to one with its place: seq, time, actor and the run it belongs to. */
import { eventVersions } from '@holdfast/protocol'
import type { Env, NewEvent } from './deciding.ts'
import type { FoldEvent, Head } from './state.ts'

/** `head` is the state just before the event; a session's first event has none. */
export function place(
  event: NewEvent,
  head: Head | undefined,
  env: Pick<Env, 'at' | 'actor' | 'traceId'>,
  seq: number,
): FoldEvent {
  const placed: FoldEvent = {
    seq,
    type: event.type,
    v: eventVersions[event.type] ?? 1,
    at: env.at,
    actor: env.actor,
    data: event.data,
  }
  if (env.traceId !== undefined) placed.traceId = env.traceId
  if (!event.run) return placed
  const runId = event.type === 'run.started' ? event.data.runId : head?.run?.runId
  if (runId === undefined) throw new Error(`${event.type} is of a run, and session ${head?.id} has none`)
  placed.runId = runId
  const roundId = event.type === 'round.started' ? event.data.roundId : head?.run?.roundId
  if (roundId !== undefined) placed.roundId = roundId
  return placed
}
