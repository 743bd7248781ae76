/**
 * How a run ends, whatever the reason: open calls closed, the question withdrawn, reservations settled, the text of its
 * draft kept, waiting input delivered, lease released. No draft outlives it.
 */
import { type Deciding, type Decision, type Env, type NewEvent, readDrafts, readPart } from '../deciding.ts'
import type { Head } from '../state.ts'
import { keepDraft, newestOf } from './draft-end.ts'
import { runLane } from './guard.ts'
import { deliverAll } from './waiting.ts'

type Terminal = Extract<NewEvent, { type: 'run.completed' | 'run.failed' | 'run.cancelled' }>

export function* endRun(head: Head, env: Env, terminal: Terminal): Deciding<Decision> {
  const lane = runLane(env)
  const drafts = env.recording ? [] : yield* readDrafts()
  // A run that completes says itself what its answer is.
  const kept = terminal.type === 'run.completed' ? undefined : newestOf(drafts, terminal.data.runId)
  const events: NewEvent[] = [
    ...closeOpenCalls(head, lane),
    ...withdrawQuestion(head, terminal.type),
    ...(yield* settleAll(head, lane)),
    ...(kept ? yield* keepDraft(head, kept, lane) : []),
    { ...terminal, ...lane },
    ...deliverAll(head),
  ]
  const dropDrafts = drafts.map(({ draftId }) => draftId)
  const end = dropDrafts.length === 0 ? { events } : { events, dropDrafts }
  return env.lease.owner === undefined || env.recording ? end : { ...end, lease: { type: 'release' } }
}

/** What stands in place of a result that never came. Nobody claims that the tool did not run. */
export const interruptedOutput = 'interrupted, outcome unknown'

export function closeOpenCalls(head: Head, lane: { run?: true }): NewEvent[] {
  return head.openCalls.map((callId) => ({
    type: 'tool.finished',
    data: { callId, output: interruptedOutput, outcome: 'unknown', synthetic: true },
    ...lane,
  }))
}

export function withdrawQuestion(head: Head, reason: string): NewEvent[] {
  if (!head.question) return []
  return [{ type: 'question.withdrawn', data: { questionId: head.question.questionId, reason } }]
}

/** What a run reserved and never settled is free again when it ends: its crash must not shrink the budget for ever. */
function* settleAll({ spend }: Head, lane: { run?: true }): Deciding<NewEvent[]> {
  if (spend.reservedTokens + spend.reservedMicrocents + spend.reservedToolCalls === 0) return []
  const open = (yield* readPart('budget'))?.reservations ?? []
  return open.map(({ reservationId }) => ({ type: 'budget.settled', data: { reservationId }, ...lane }))
}
