/** Who may write at all: the checks that stand before every decision, in this order: epoch, version, life. */
import type { CommandType } from '../command.ts'
import { type Env, refuse } from '../deciding.ts'
import { isExpired, isLive, isUnfinished } from '../lifecycle.ts'
import type { Head, RunHead } from '../state.ts'

/** What may still be appended after the end: by the sweep, by the ledger, by a parent, by maintenance. */
const afterTheEnd: readonly CommandType[] = [
  'close',
  'expire',
  'recordUsage',
  'finishChild',
  'hold',
  'takeFiles',
  'erase',
  'repair',
]

export function guard(head: Head, type: CommandType, env: Env): void {
  if (head.readOnly) {
    refuse(
      'session_read_only',
      `session ${head.id} holds a critical event of a newer version; write to it with that version`,
    )
  }
  guardEpoch(head, env)
  if (env.expectedVersion !== undefined && env.expectedVersion !== head.version) {
    refuse(
      'version_conflict',
      `session ${head.id} is at version ${head.version}, not ${env.expectedVersion}`,
      {
        version: head.version,
        expectedVersion: env.expectedVersion,
      },
    )
  }
  if (!afterTheEnd.includes(type)) guardLife(head, env)
}

function guardEpoch(head: Head, env: Env): void {
  if (env.epoch === undefined) return
  if (env.epoch !== env.lease.epoch || env.lease.owner === undefined) {
    refuse(
      'stale_epoch',
      `epoch ${env.epoch} of session ${head.id} is over (now ${env.lease.epoch}); this worker must stop`,
      {
        epoch: env.epoch,
        currentEpoch: env.lease.epoch,
      },
    )
  }
}

function guardLife(head: Head, env: Env): void {
  const ended = head.endedAt !== undefined && !head.expired
  if (ended) refuse('session_closed', `session ${head.id} was closed at ${head.endedAt}; fork it to continue`)
  const finishing = env.epoch !== undefined && isLive(head.run) && !head.expired
  if (isExpired(head, env.nowMs) && !finishing)
    refuse('session_expired', `session ${head.id} has expired; fork it to continue`)
}

/** True for a writer inside the run: it carries the epoch, or records the whole run at once. */
export function inRun(env: Env): boolean {
  return env.epoch !== undefined || env.recording === true
}

export function runLane(env: Env): { run?: true } {
  return inRun(env) ? { run: true } : {}
}

/** The live run of a writer inside it. */
export function requireOwnRun(head: Head, env: Env): RunHead {
  if (!isLive(head.run)) return refuse('no_live_run', `session ${head.id} has no live run`)
  if (!inRun(env))
    return refuse(
      'run_live',
      `run ${head.run.runId} of session ${head.id} is live; only its own worker may do this`,
    )
  return head.run
}

export function requireNoRun(head: Head, what: string): void {
  if (isUnfinished(head.run)) {
    refuse('run_live', `${what} waits until run ${head.run.runId} of session ${head.id} has ended`, {
      runId: head.run.runId,
    })
  }
}
