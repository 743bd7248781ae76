import { checkBytes, toTime } from '@holdfast/protocol'
import type { Command } from '../command.ts'
import {
  type Decide,
  type Deciding,
  type Decision,
  decided,
  type Env,
  type NewEvent,
  nothing,
  readPart,
  refuse,
} from '../deciding.ts'
import { patched } from '../fold/session.ts'
import { expiresAtMs, isExpired, isLive, isUnfinished } from '../lifecycle.ts'
import type { Head, State } from '../state.ts'
import { invalidateContext } from './provider-context.ts'
import { endRun, restingLease, withdrawQuestion } from './run-end.ts'
import { deliverAll } from './waiting.ts'

type Only<T extends Command['type']> = Extract<Command, { type: T }>

export function decideCreate(command: Only<'create'>): Decision {
  const { type: _type, id, budget, ...identity } = command
  const created: NewEvent = { type: 'session.created', data: { ...identity, sessionId: id } }
  return budget ? decided(created, { type: 'budget.set', data: { budget } }) : decided(created)
}

/** `source` is the state at the fork's seq. Input that waited there for a run enters the fork's view at once. */
export function decideFork(source: State, command: Only<'fork'>): Decision {
  const { head } = source
  if (head.openCalls.length > 0) refuseInsideRound(head)
  const { type: _type, id, source: origin, ...identity } = command
  const forked: NewEvent = { type: 'session.forked', data: { ...identity, sessionId: id, origin } }
  return { events: [forked, ...deliverAll(head)] }
}

export function refuseInsideRound(head: Head): never {
  const before = (head.callsFrom ?? head.seq) - 1
  return refuse(
    'fork_inside_round',
    `seq ${head.seq} of session ${head.id} parts a tool call from its result; use ${before} or a seq after the results`,
    {
      before,
      openCalls: head.openCalls,
    },
  )
}

/** The first accepted request activates: it locks the model unless the session may switch. */
export function activation(
  head: Head,
  model: { providerId?: string | undefined; model?: string | undefined } = {},
): NewEvent[] {
  if (head.activatedAt !== undefined) return []
  return [{ type: 'session.activated', data: modelOf(head, model) }]
}

function modelOf(head: Head, wanted: { providerId?: string | undefined; model?: string | undefined }) {
  const providerId = wanted.providerId ?? (wanted.model === undefined ? head.providerId : undefined)
  const model = wanted.model ?? head.model
  return { ...(providerId !== undefined && { providerId }), ...(model !== undefined && { model }) }
}

export function requireModel(
  head: Head,
  wanted: { providerId?: string | undefined; model?: string | undefined },
): void {
  if (head.activatedAt === undefined || head.modelPolicy === 'switchable') return
  const same =
    (wanted.model ?? head.model) === head.model && (wanted.providerId ?? head.providerId) === head.providerId
  if (!same) {
    refuse(
      'model_locked',
      `session ${head.id} is locked to ${head.providerId ?? ''}/${head.model ?? ''} since ${head.activatedAt}`,
      {
        providerId: head.providerId,
        model: head.model,
      },
    )
  }
}

export const decideActivate: Decide<Only<'activate'>> = (head, command) => {
  if (head.activatedAt !== undefined) requireModel(head, command)
  return { events: activation(head, command) }
}

/** A title that a person chose is never replaced by an automatic one. */
export const decideRename: Decide<Only<'rename'>> = (head, { title, automatic }) => {
  if (automatic && head.title !== undefined && !head.titleAutomatic) return nothing
  return decided({ type: 'session.renamed', data: { title, automatic } })
}

export const decidePin: Decide<Only<'pin'>> = (head, { pinned }) => {
  if ((head.pinned ?? false) === pinned) return nothing
  return decided({ type: 'session.pinned', data: { pinned } })
}

/** What is held stays held however its session ends. */
export const decideHold: Decide<Only<'hold'>> = (head, { held, reason }) => {
  if ((head.held ?? false) === held) return nothing
  return decided({ type: 'session.held', data: { held, ...(reason !== undefined && { reason }) } })
}

/** The limit is on the whole object, whatever one patch adds to it. */
export const decidePatchMetadata: Decide<Only<'patchMetadata'>> = function* (head, { values }) {
  const after = patched(yield* readPart('metadata'), values)
  checkBytes('metadataBytes', JSON.stringify(after), `metadata of session ${head.id}`)
  return decided({ type: 'session.metadata_changed', data: { mode: 'patch', values } })
}

export const decideReplaceMetadata: Decide<Only<'replaceMetadata'>> = (_head, { values }) => {
  return decided({ type: 'session.metadata_changed', data: { mode: 'replace', values } })
}

export const decideSetModel: Decide<Only<'setModel'>> = (head, command) => {
  requireModel(head, command)
  const data = modelOf(head, command)
  if (data.model === head.model && data.providerId === head.providerId) return nothing
  return { events: [{ type: 'session.model_changed', data }, ...invalidateContext(head, 'model changed')] }
}

export const decideSetSeed: Decide<Only<'setSeed'>> = (_head, { seedId, seed }) => {
  return decided({ type: 'session.seed_set', data: { seedId, ...(seed && { seed }) } })
}

export const decideSetPersona: Decide<Only<'setPersona'>> = (_head, { personaId, persona }) => {
  return decided({ type: 'session.persona_set', data: { personaId, ...(persona && { persona }) } })
}

export const decideSetEffort: Decide<Only<'setEffort'>> = (_head, { reasoningEffort }) => {
  return decided({ type: 'session.effort_changed', data: { reasoningEffort } })
}

export const decideSetInstructions: Decide<Only<'setInstructions'>> = (_head, { instructions }) => {
  return decided({ type: 'session.instructions_set', data: { instructions } })
}

export const decideSetPrompt: Decide<Only<'setPrompt'>> = (_head, { prompt }) => {
  return decided({ type: 'prompt.snapshot_set', data: prompt })
}

export const decideSaveCheckpoint: Decide<Only<'saveCheckpoint'>> = (
  _head,
  { type: _type, ...data },
  env,
) => {
  return decided({ type: 'checkpoint.saved', data, ...(env.epoch !== undefined && { run: true as const }) })
}

export const decideAddNote: Decide<Only<'addNote'>> = (_head, { type: _type, ...data }) => {
  return decided({ type: 'note.added', data })
}

/** Closing again is a no-op that keeps the first end. */
export const decideClose: Decide<Only<'close'>> = function* (head, { outcome, reason, cancel }, env) {
  if (isExpired(head, env.nowMs))
    refuse('session_expired', `session ${head.id} has expired; it is closed already`)
  if (head.endedAt !== undefined) return nothing
  const end: Decision = isUnfinished(head.run)
    ? yield* cancelForEnd(head, cancel, env)
    : { events: withdrawQuestion(head, 'session closed') }
  const result = outcome ?? runOutcome(head)
  const closed: NewEvent = {
    type: 'session.closed',
    data: { outcome: result, ...(reason !== undefined && { reason }) },
  }
  return { ...withoutLease(end), events: [...end.events, closed], ...endingLease(env) }
}

function withoutLease({ lease: _lease, ...decision }: Decision): Decision {
  return decision
}

/** Whatever was due, nobody is wanted after the end. */
function endingLease(env: Env): Pick<Decision, 'lease'> {
  const lease = restingLease(env, false)
  return lease ? { lease } : {}
}

function* cancelForEnd(head: Head, cancel: boolean, env: Env): Deciding<Decision> {
  if (!cancel || head.run?.state === 'finalizing') {
    refuse(
      'run_live',
      `run ${head.run?.runId} of session ${head.id} has not ended; stop it first, or close with cancel`,
    )
  }
  return yield* endRun(head, env, {
    type: 'run.cancelled',
    data: { runId: head.run?.runId ?? '', reason: 'session closed' },
  })
}

/** A run that has not ended is cancelled by the close. */
function runOutcome(head: Head): 'completed' | 'failed' | 'cancelled' {
  if (isUnfinished(head.run)) return 'cancelled'
  return head.run?.state === 'failed' || head.run?.state === 'cancelled' ? head.run.state : 'completed'
}

/** The sweep's: makes a derived expiry an event, and cancels a run that nobody holds any more. */
export const decideExpire: Decide<Only<'expire'>> = function* (head, _command, env) {
  if (head.endedAt !== undefined || !isExpired(head, env.nowMs)) return nothing
  const held = isLive(head.run) && env.lease.expiresAtMs !== undefined && env.lease.expiresAtMs > env.nowMs
  if (held)
    refuse('run_live', `run ${head.run?.runId} of session ${head.id} is live; it ends under its own epoch`)
  const runId = head.run?.runId ?? ''
  const end: Decision = isUnfinished(head.run)
    ? yield* endRun(head, env, { type: 'run.cancelled', data: { runId, reason: 'session expired' } })
    : { events: withdrawQuestion(head, 'session expired') }
  const expired: NewEvent = {
    type: 'session.expired',
    data: { expiresAt: toTime(expiresAtMs(head) ?? env.nowMs) },
  }
  // Its worker may come back between this reading of the lease and the write.
  const { lease } = endingLease(env)
  const moved = lease?.type === 'release' ? { lease: { ...lease, lost: true as const } } : lease && { lease }
  return { ...withoutLease(end), ...moved, events: [...end.events, expired] }
}

/** Kind of the note that names a file which a fork took over, for as long as a message shows it. */
export const TAKEN_NOTE = 'attachment.taken'

export const decideTakeFiles: Decide<Only<'takeFiles'>> = (_head, { files }) => {
  return { events: files.map((data) => ({ type: 'note.added', data: { kind: TAKEN_NOTE, data } })) }
}

export const decideErase: Decide<Only<'erase'>> = (head, { seqs, reason }) => {
  if (head.held) refuse('session_held', `session ${head.id} is under a legal hold; nothing of it is erased`)
  return decided({ type: 'session.erased', data: { seqs, ...(reason !== undefined && { reason }) } })
}

export const decideRepair: Decide<Only<'repair'>> = (_head, { findings }) => {
  return decided({ type: 'session.repaired', data: { findings } })
}
