/**
 * The run of a session, for workers elsewhere: whoever starts or takes it holds its lease under an epoch, and every write of
 * the run names that epoch. A worker whose lease was taken is refused as `stale_epoch` and must stop.
 */
import type { HostCommand } from '@holdfast/core'
import { externalId, id, isHoldfastError, limits, receipt, runHeld, runWritten } from '@holdfast/protocol'
import { z } from 'zod'
import { type Answer, found, written } from '../answer.ts'
import { type Call, route } from '../route.ts'
import { ended, given, one } from './sessions.ts'

const lease = {
  /** Who the worker is. */
  owner: externalId,
  /** How long the lease holds without a heartbeat. */
  ttlMs: z.int().min(1).max(limits.leaseTtlMs),
}
const epoch = z.int().min(1)
const why = z.strictObject({ reason: z.string().optional() })
const base = { scope: 'run', reach: 'session' } as const

/** Writes of a run, in the words of its commands. */
const inRun = [
  'append',
  'finishTool',
  'closeCalls',
  'startRound',
  'completeRound',
  'recordUsage',
  'reserveBudget',
  'settleBudget',
  'applyCompaction',
  'failCompaction',
  'openProviderContext',
  'invalidateProviderContext',
  'addNote',
  'askQuestion',
  'suspendRun',
  'finalizeRun',
  'completeRun',
  'failRun',
  'cancelRun',
] as const satisfies readonly HostCommand['type'][]

export const runRoutes = [
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run',
    summary: 'Start a run, and hold its lease',
    once: 'answer',
    body: {
      schema: z.strictObject({
        ...lease,
        runId: id.optional(),
        /** The message that it answers. */
        answers: id.optional(),
        providerId: externalId.optional(),
        model: externalId.optional(),
      }),
    },
    status: 201,
    answer: runHeld,
    codes: ['run_live', 'model_locked', 'duplicate_id', 'version_conflict', ...ended],
    handle: async (call) => held(await call.session.startRun(given(call.body), call.write), 201),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/take-over',
    summary: 'Take the lost lease of a live run, under a new epoch',
    once: 'answer',
    body: { schema: z.strictObject(lease) },
    answer: runHeld,
    codes: ['no_live_run', 'lease_held', ...ended],
    handle: async (call) => held(await takenOver(call, call.body)),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/resume',
    summary: 'Go on with a suspended run, under a new epoch',
    once: 'answer',
    body: { schema: z.strictObject(lease) },
    answer: runHeld,
    codes: ['illegal_transition', 'question_open', 'version_conflict', ...ended],
    handle: async ({ session, body, write }) => held(await session.resumeRun(body, write)),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/heartbeat',
    summary: 'Keep the lease',
    once: 'harmless',
    body: { schema: z.strictObject({ epoch, ttlMs: lease.ttlMs }) },
    answer: runHeld,
    codes: ['stale_epoch', 'no_live_run'],
    handle: async ({ session, body }) => {
      const run = await session.joinRun(body.epoch)
      await run.heartbeat(body.ttlMs)
      return held(run)
    },
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/batch',
    summary: 'Write to the run: its commands in one commit, all or nothing',
    body: {
      schema: z.strictObject({
        epoch,
        commands: z
          .array(z.looseObject({ type: z.enum(inRun) }))
          .min(1)
          .max(limits.commitEvents),
      }),
    },
    answer: runWritten,
    codes: [
      'stale_epoch',
      'no_live_run',
      'illegal_transition',
      'call_not_open',
      'calls_open',
      'duplicate_id',
      'budget_exceeded',
      'price_unknown',
      'reservation_not_open',
      'path_changed',
      'invalid_compaction',
      'question_open',
    ],
    handle: async ({ session, body, write }) => {
      return written(await session.writeRun(body.epoch, body.commands as unknown as HostCommand[], write))
    },
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/stop',
    summary: 'Ask a live run to stop, which keeps its partial answer; cancels a suspended one',
    body: { schema: why, optional: true },
    answer: receipt,
    codes: ['no_live_run', ...ended],
    handle: ({ session, body = {}, write }) => one(session, { type: 'stopRun', ...given(body) }, write),
  }),
  route({
    ...base,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/run/cancel',
    summary: "End a suspended run; a live one is its worker's to end",
    body: { schema: why, optional: true },
    answer: receipt,
    codes: ['no_live_run', 'run_live', ...ended],
    handle: ({ session, body = {}, write }) => one(session, { type: 'cancelRun', ...given(body) }, write),
  }),
]

type Held = Awaited<ReturnType<Call['session']['startRun']>> | Awaited<ReturnType<Call['session']['joinRun']>>

/** A lease that is held by who asks after a try whose answer is not known was taken by that. */
async function takenOver(
  { session, mayBeDone }: Pick<Call, 'session' | 'mayBeDone'>,
  lease: { owner: string; ttlMs: number },
): ReturnType<Call['session']['takeOverRun']> {
  try {
    return await session.takeOverRun(lease)
  } catch (error) {
    if (!mayBeDone || !isHoldfastError(error, 'lease_held')) throw error
    const { run } = await session.view()
    if (run?.owner !== lease.owner) throw error
    return session.joinRun(run.epoch)
  }
}

function held({ runId, epoch, state }: Held, status = 200): Answer {
  return { ...found({ runId, epoch, state }), status }
}
