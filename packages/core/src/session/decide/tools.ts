import type { EventData } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  type Decision,
  decided,
  type Env,
  type NewEvent,
  nothing,
  readEvent,
  readRefs,
  refuse,
} from '../deciding.ts'
import { isUnfinished } from '../lifecycle.ts'
import type { Head } from '../state.ts'
import { inRun, runLane } from './guard.ts'
import { requireNewMessageId } from './message-ids.ts'
import { closeOpenCalls } from './run-end.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

export function* decideFinishTool(
  head: Head,
  { type: _type, ...data }: Only<'finishTool'>,
  env: Env,
): Deciding<Decision> {
  if (!head.openCalls.includes(data.callId)) return yield* decideLateResult(head, data)
  if (isUnfinished(head.run) && !inRun(env)) {
    refuse(
      'run_live',
      `the results of run ${head.run.runId} of session ${head.id} are written by its own worker`,
    )
  }
  yield* requireNewMessageId(head, data.messageId)
  return decided({ type: 'tool.finished', data, ...runLane(env) })
}

/**
 * A call is answered once. The same result again is a no-op; a real one that comes after recovery wrote
 * `interrupted, outcome unknown` is kept as a note, never as a second answer.
 */
function* decideLateResult(
  head: Head,
  data: Omit<Only<'finishTool'>, 'type'>,
): Deciding<{ events: NewEvent[] }> {
  const results = yield* readRefs('result', data.callId)
  const last = results.at(-1)
  if (last === undefined)
    refuse('call_not_open', `session ${head.id} has no open tool call ${data.callId}`, {
      callId: data.callId,
    })
  const result = (yield* readEvent(last))?.data as EventData<'tool.finished'> | undefined
  if (!result?.synthetic) return nothing
  const late = { outcome: data.outcome, output: data.output }
  return decided({ type: 'note.added', data: { kind: 'late_tool_result', callId: data.callId, data: late } })
}

/** Recovery's: open calls are closed as `interrupted, outcome unknown`, in call order. */
export const decideCloseCalls: Decide<Only<'closeCalls'>> = (head, { callIds }, env) => {
  if (isUnfinished(head.run) && !inRun(env)) {
    refuse(
      'run_live',
      `the calls of run ${head.run.runId} of session ${head.id} are closed by its own worker, or by recovery`,
    )
  }
  const wanted = callIds ? head.openCalls.filter((callId) => callIds.includes(callId)) : head.openCalls
  return { events: closeOpenCalls({ openCalls: wanted }, runLane(env)) }
}
