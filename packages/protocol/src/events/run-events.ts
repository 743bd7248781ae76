import { z } from 'zod'
import { externalId, id } from '../ids.ts'
import { suspendReason, waitFor } from '../session.ts'
import { usageRecord } from '../usage.ts'

const reason = z.string().max(1_024).optional()
const count = z.int().min(0)

export const runEvents = {
  'run.started': z.strictObject({
    runId: id,
    providerId: externalId.optional(),
    model: externalId.optional(),
    /** The user message that the run answers; absent for a goal step. */
    answers: id.optional(),
  }),
  'run.suspended': z.strictObject({
    runId: id,
    reason: suspendReason,
    waitFor: waitFor.optional(),
  }),
  'run.resumed': z.strictObject({ runId: id }),
  'run.finalizing': z.strictObject({ runId: id }),
  'run.stop_requested': z.strictObject({ runId: id, reason }),
  'run.completed': z.strictObject({ runId: id }),
  'run.failed': z.strictObject({ runId: id, error: z.string().max(8_192), code: externalId.optional() }),
  'run.cancelled': z.strictObject({ runId: id, reason }),
  'round.started': z.strictObject({ roundId: id }),
  'round.completed': z.strictObject({ roundId: id }),
  'usage.recorded': usageRecord,
  'lease.taken': z.strictObject({ owner: externalId, epoch: z.int().min(1) }),
  /** The lease of this epoch ran out and another took over. */
  'lease.lost': z.strictObject({ owner: externalId, epoch: z.int().min(1) }),
  'child.spawned': z.strictObject({
    childId: id,
    agentId: externalId,
    callId: externalId.optional(),
    grant: z.strictObject({
      tokens: count.optional(),
      costMicrocents: count.optional(),
      toolCalls: count.optional(),
    }),
  }),
  'child.finished': z.strictObject({
    childId: id,
    outcome: z.enum(['completed', 'failed', 'cancelled']),
    spent: z.strictObject({ tokens: count, costMicrocents: count, toolCalls: count }),
    result: z.string().optional(),
  }),
} as const
