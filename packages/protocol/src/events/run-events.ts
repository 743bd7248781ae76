import { z } from 'zod'
import { externalId, id } from '../ids.ts'
import { objectOnUse, onUse } from '../on-use.ts'
import { suspendReason, waitFor } from '../session.ts'
import { usageRecord } from '../usage.ts'

const reason = onUse(() => z.string().max(1_024).optional())
const count = onUse(() => z.int().min(0))

export const runEvents = {
  'run.started': objectOnUse(() => ({
    runId: id,
    providerId: externalId.optional(),
    model: externalId.optional(),
    /** The user message that the run answers; absent for a goal step. */
    answers: id.optional(),
  })),
  'run.suspended': objectOnUse(() => ({
    runId: id,
    reason: suspendReason,
    waitFor: waitFor.optional(),
  })),
  'run.resumed': objectOnUse(() => ({ runId: id })),
  'run.finalizing': objectOnUse(() => ({ runId: id })),
  'run.stop_requested': objectOnUse(() => ({ runId: id, reason })),
  'run.completed': objectOnUse(() => ({ runId: id })),
  'run.failed': objectOnUse(() => ({ runId: id, error: z.string().max(8_192), code: externalId.optional() })),
  'run.cancelled': objectOnUse(() => ({ runId: id, reason })),
  'round.started': objectOnUse(() => ({ roundId: id })),
  'round.completed': objectOnUse(() => ({ roundId: id })),
  'usage.recorded': usageRecord,
  'lease.taken': objectOnUse(() => ({ owner: externalId, epoch: z.int().min(1) })),
  /** The lease of this epoch ran out and another took over. */
  'lease.lost': objectOnUse(() => ({ owner: externalId, epoch: z.int().min(1) })),
  'child.spawned': objectOnUse(() => ({
    childId: id,
    agentId: externalId,
    callId: externalId.optional(),
    grant: z.strictObject({
      tokens: count.optional(),
      costMicrocents: count.optional(),
      toolCalls: count.optional(),
    }),
  })),
  'child.finished': objectOnUse(() => ({
    childId: id,
    outcome: z.enum(['completed', 'failed', 'cancelled']),
    spent: z.strictObject({ tokens: count, costMicrocents: count, toolCalls: count }),
    result: z.string().optional(),
  })),
} as const
