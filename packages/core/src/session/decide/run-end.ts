/**
 * How a run ends, whatever the reason: open calls closed, the question withdrawn, reservations settled, the text of its
 * draft kept, waiting input delivered, lease released, and due again when that input wants an answer. No draft outlives it.
 */
import {
  type Deciding,
  type Decision,
  type Env,
  type LeaseMove,
  type NewEvent,
  readDrafts,
  readPart,
} from '../deciding.ts'
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
  const delivered = deliverAll(head)
  const events: NewEvent[] = [
    ...closeOpenCalls(head, lane),
    ...withdrawQuestion(head, terminal.type),
    ...(yield* settleAll(head, lane)),
    ...(kept ? yield* keepDraft(head, kept, lane) : []),
    { ...terminal, ...lane },
    ...delivered,
  ]
  const dropDrafts = drafts.map(({ draftId }) => draftId)
  const end = dropDrafts.length === 0 ? { events } : { events, dropDrafts }
  if (env.recording) return end
  // A child stays due until its parent knows of its end, and it is closed.
  const lease = restingLease(env, delivered.length > 0 || head.parentSessionId !== undefined)
  return lease ? { ...end, lease } : end
}

/** The lease of a session that nobody works on from here on; due when somebody should. */
export function restingLease({ lease }: Env, isDue: boolean): LeaseMove | undefined {
  if (lease.owner !== undefined) return isDue ? { type: 'release', due: true } : { type: 'release' }
  return isDue || lease.expiresAtMs !== undefined ? { type: 'due', isDue } : undefined
}

/** What stands in place of a result that never came. Nobody claims that the tool did not run. */
export const interruptedOutput = 'interrupted, outcome unknown'

export function closeOpenCalls(head: Pick<Head, 'openCalls'>, lane: { run?: true }): NewEvent[] {
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
  const { reservedTokens, reservedMicrocents, reservedToolCalls, reservationsOfNothing } = spend
  if (reservedTokens + reservedMicrocents + reservedToolCalls + reservationsOfNothing === 0) return []
  const open = (yield* readPart('budget'))?.reservations ?? []
  return open.map(({ reservationId }) => ({ type: 'budget.settled', data: { reservationId }, ...lane }))
}
