import { addCounts, type UsageRecord } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  decided,
  type Env,
  isLost,
  type NewEvent,
  nothing,
  readPart,
  readRefs,
  refuse,
} from '../deciding.ts'
import { isLive, isUnfinished } from '../lifecycle.ts'
import type { Head, RunHead } from '../state.ts'
import { inRun, requireOwnRun, runLane } from './guard.ts'
import { closeOpenCalls, endRun } from './run-end.ts'
import { activation, requireModel } from './session.ts'
import { deliverSteering } from './waiting.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>
const run = { run: true } as const

export const decideStartRun: Decide<Only<'startRun'>> = function* (head, command, env) {
  if (isUnfinished(head.run))
    refuse('run_live', `run ${head.run.runId} of session ${head.id} has not ended`, { runId: head.run.runId })
  if (command.ifDue) requireDue(head, env)
  requireModel(head, command)
  const runId = command.runId ?? env.ids.next()
  yield* requireNewRun(head, command.runId)
  const { providerId = head.providerId, model = head.model, answers = head.lastUser?.id } = command
  const started: NewEvent = {
    type: 'run.started',
    data: { runId, ...(providerId && { providerId }), ...(model && { model }), ...(answers && { answers }) },
    ...run,
  }
  const events = [...closeOpenCalls(head, {}), ...activation(head, command)]
  if (command.recorded) return { events: [...events, started] }
  return { events: [...events, started, taken(command.owner, env)], lease: take(head, command, env) }
}

/** A child whose run has ended is due for its parent alone, which is to hear of it. */
function requireDue({ id, parentSessionId, run }: Head, { lease, nowMs }: Env): void {
  const isDue = lease.owner === undefined && lease.expiresAtMs !== undefined && lease.expiresAtMs <= nowMs
  const isOver = parentSessionId !== undefined && run !== undefined
  if (!isDue || isOver) refuse('illegal_transition', `nobody is wanted to work on session ${id} (any more)`)
}

function* requireNewRun(head: Head, runId: string | undefined) {
  if (runId === undefined) return
  const [seq] = yield* readRefs('run', runId)
  if (seq !== undefined)
    refuse('duplicate_id', `run ${runId} of session ${head.id} exists at seq ${seq}`, { seq })
}

function take(head: Head, { owner, ttlMs }: { owner: string; ttlMs: number }, env: Env) {
  if (!isLost(env.lease, env.nowMs)) {
    refuse('lease_held', `${env.lease.owner} holds session ${head.id} until ${env.lease.expiresAtMs}`, {
      ...env.lease,
    })
  }
  return { type: 'take', fromEpoch: env.lease.epoch, owner, ttlMs } as const
}

function taken(owner: string, env: Env): NewEvent {
  return { type: 'lease.taken', data: { owner, epoch: env.lease.epoch + 1 }, ...run }
}

/** Only a lost lease permits takeover; a live neighbour is never declared dead. */
export const decideTakeOverRun: Decide<Only<'takeOverRun'>> = (head, command, env) => {
  if (!isLive(head.run)) refuse('no_live_run', `session ${head.id} has no live run to take over`)
  const lease = take(head, command, env)
  const lost: NewEvent = {
    type: 'lease.lost',
    data: { owner: env.lease.owner ?? 'nobody', epoch: env.lease.epoch },
    ...run,
  }
  return { events: [lost, taken(command.owner, env)], lease }
}

/** A run that only its process left is due at once, as is one that waits for children of which one has ended already. */
export const decideSuspendRun: Decide<Only<'suspendRun'>> = function* (head, { reason, waitFor }, env) {
  const { runId, state } = requireOwnRun(head, env)
  if (state === 'finalizing')
    refuse('illegal_transition', `run ${runId} is finalizing and cannot be suspended`)
  const isDue = reason === 'shutdown' || (reason === 'children' && (yield* hasEnded(head)))
  return {
    events: [{ type: 'run.suspended', data: { runId, reason, ...(waitFor && { waitFor }) }, ...run }],
    lease: isDue ? { type: 'release', due: true } : { type: 'release' },
  }
}

/** A child that ended since the run was last resumed, or none that could still end. */
function* hasEnded(head: Head): Deciding<boolean> {
  return head.openChildren === 0 || ((yield* readPart('children'))?.finished ?? 0) > 0
}

/** Whoever resumes takes a new epoch. */
export const decideResumeRun: Decide<Only<'resumeRun'>> = (head, command, env) => {
  if (head.run?.state !== 'suspended')
    refuse('illegal_transition', `session ${head.id} has no suspended run`, { state: head.run?.state })
  if (head.question)
    refuse(
      'question_open',
      `question ${head.question.questionId} of session ${head.id} still waits for an answer`,
    )
  const resumed: NewEvent = { type: 'run.resumed', data: { runId: head.run.runId }, ...run }
  return { events: [taken(command.owner, env), resumed], lease: take(head, command, env) }
}

export const decideFinalizeRun: Decide<Only<'finalizeRun'>> = (head, _command, env) => {
  const own = requireOwnRun(head, env)
  if (own.state === 'finalizing') return nothing
  requireSettled(head, own)
  return decided({ type: 'run.finalizing', data: { runId: own.runId }, ...run })
}

export const decideCompleteRun: Decide<Only<'completeRun'>> = function* (head, _command, env) {
  const own = requireOwnRun(head, env)
  requireSettled(head, own)
  const finalizing: NewEvent[] =
    own.state === 'finalizing' ? [] : [{ type: 'run.finalizing', data: { runId: own.runId }, ...run }]
  const end = yield* endRun(head, env, { type: 'run.completed', data: { runId: own.runId } })
  return { ...end, events: [...finalizing, ...end.events] }
}

function requireSettled(head: Head, own: RunHead): void {
  if (head.openCalls.length > 0)
    refuse('calls_open', `tool calls of run ${own.runId} have no result yet`, { openCalls: head.openCalls })
  if (own.roundId) refuse('illegal_transition', `round ${own.roundId} of run ${own.runId} is not completed`)
}

/** A suspended run has no worker: anyone who may write may end it. A live one is ended under its epoch. */
function requireEnding(head: Head, env: Env): RunHead {
  return head.run?.state === 'suspended' ? head.run : requireOwnRun(head, env)
}

export const decideFailRun: Decide<Only<'failRun'>> = function* (head, { error, code }, env) {
  const { runId } = requireEnding(head, env)
  return yield* endRun(head, env, {
    type: 'run.failed',
    data: { runId, error, ...(code !== undefined && { code }) },
  })
}

export const decideCancelRun: Decide<Only<'cancelRun'>> = function* (head, { reason }, env) {
  const { runId, state } = requireEnding(head, env)
  if (state === 'finalizing')
    refuse('illegal_transition', `run ${runId} is finalizing and cannot be cancelled`)
  return yield* endRun(head, env, {
    type: 'run.cancelled',
    data: { runId, ...(reason !== undefined && { reason }) },
  })
}

/** A stop is a command on the side lane: a live run is asked, a suspended one is cancelled here. */
export const decideStopRun: Decide<Only<'stopRun'>> = function* (head, { reason }, env) {
  if (!isUnfinished(head.run)) refuse('no_live_run', `session ${head.id} has no run to stop`)
  const data = { runId: head.run.runId, ...(reason !== undefined && { reason }) }
  if (head.run.state === 'suspended') return yield* endRun(head, env, { type: 'run.cancelled', data })
  if (head.run.stopRequested || head.run.state === 'finalizing') return nothing
  return decided({ type: 'run.stop_requested', data })
}

export const decideStartRound: Decide<Only<'startRound'>> = (head, command, env) => {
  const own = requireOwnRun(head, env)
  if (own.state === 'finalizing')
    refuse('illegal_transition', `run ${own.runId} is finalizing and starts no round`)
  requireSettled(head, own)
  const roundId = command.roundId ?? env.ids.next()
  return { events: [...deliverSteering(head), { type: 'round.started', data: { roundId }, ...run }] }
}

export const decideCompleteRound: Decide<Only<'completeRound'>> = (head, _command, env) => {
  const own = requireOwnRun(head, env)
  if (!own.roundId) refuse('illegal_transition', `run ${own.runId} has no open round`)
  if (head.openCalls.length > 0)
    refuse('calls_open', `tool calls of round ${own.roundId} have no result yet`, {
      openCalls: head.openCalls,
    })
  return decided({ type: 'round.completed', data: { roundId: own.roundId }, ...run })
}

/** Counters and their sums are whole numbers that a number holds: what would take one past that is refused. */
function requireCountable(counters: Head['counters'], usage: UsageRecord): void {
  const prompt = addCounts(counters.promptTokens, usage.promptTokens, 'promptTokens')
  addCounts(counters.completionTokens, usage.completionTokens, 'completionTokens')
  addCounts(prompt, counters.completionTokens + usage.completionTokens, 'prompt and completion tokens')
  addCounts(counters.costMicrocents, usage.costMicrocents ?? 0, 'costMicrocents')
  addCounts(counters.deltaTokenCount, usage.context?.tokens ?? 0, 'deltaTokenCount')
}

/** Once per attempt id, for ever: a second record of it is a no-op. After a run's end it needs no epoch. */
export const decideRecordUsage: Decide<Only<'recordUsage'>> = function* (head, { usage }, env) {
  const [seq] = yield* readRefs('attempt', usage.attemptId)
  if (seq !== undefined) return nothing
  requireCountable(head.counters, usage)
  if (isLive(head.run) && !inRun(env) && usage.runId === head.run.runId) {
    refuse(
      'run_live',
      `usage of run ${head.run.runId} of session ${head.id} is recorded by its own worker until it ends`,
    )
  }
  const place =
    inRun(env) && head.run
      ? { runId: head.run.runId, ...(head.run.roundId && { roundId: head.run.roundId }) }
      : {}
  return decided({ type: 'usage.recorded', data: { ...place, ...usage }, ...runLane(env) })
}
