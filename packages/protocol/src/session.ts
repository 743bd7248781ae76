import { z } from 'zod'
import { compactionRecord, contextUsage, promptSnapshot, summary, tokenBudget } from './context.ts'
import { externalId, id } from './ids.ts'
import { jsonObject } from './json.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { question } from './question.ts'
import { taskList } from './task.ts'
import { time } from './time.ts'

export const purpose = onUse(() => z.enum(['interactive', 'autonomous', 'acp']))
export type Purpose = z.infer<typeof purpose>

export const channel = onUse(() =>
  z.enum([
    'cli',
    'tui',
    'web',
    'api',
    'acp',
    'telegram',
    'discord',
    'slack',
    'messenger',
    'instagram',
    'email',
    'phone',
    'sms',
    'whatsapp',
    'tiktok',
    'other',
  ]),
)
export type Channel = z.infer<typeof channel>

export const lineage = onUse(() => z.enum(['root', 'child']))
export type Lineage = z.infer<typeof lineage>

export const modelPolicy = onUse(() => z.enum(['locked', 'switchable']))
export type ModelPolicy = z.infer<typeof modelPolicy>

export const reasoningEffort = onUse(() => z.enum(['low', 'medium', 'high', 'xhigh', 'max']))
export type ReasoningEffort = z.infer<typeof reasoningEffort>

export const outcome = onUse(() => z.enum(['completed', 'failed', 'cancelled']))
export type Outcome = z.infer<typeof outcome>

export const runState = onUse(() =>
  z.enum(['initializing', 'running', 'suspended', 'finalizing', 'completed', 'failed', 'cancelled']),
)
export type RunState = z.infer<typeof runState>

export const suspendReason = onUse(() => z.enum(['question', 'approval', 'children', 'budget', 'shutdown']))
export type SuspendReason = z.infer<typeof suspendReason>

/** One derived word, never stored. `unknown`: a run was live and its lease is lost. */
export const sessionStatus = onUse(() =>
  z.enum([
    'created',
    'idle',
    'running',
    'suspended',
    'unknown',
    'completed',
    'failed',
    'cancelled',
    'expired',
  ]),
)
export type SessionStatus = z.infer<typeof sessionStatus>

export const forkOrigin = objectOnUse(() => ({ sessionId: id, seq: z.int().min(1) }))

export const waitFor = onUse(() => z.enum(['all', 'any', 'first_error']))

const count = onUse(() => z.int().min(0))

export const counters = objectOnUse(() => ({
  messageCount: count,
  exchangeCount: count,
  turnCount: count,
  roundCount: count,
  promptTokens: count,
  completionTokens: count,
  reasoningTokens: count,
  cachedReadTokens: count,
  cachedWriteTokens: count,
  initialTokenCount: count,
  deltaTokenCount: count,
  /** 10⁻⁶ of a US cent; the sum of the known costs. */
  costMicrocents: count,
  /** Some figure in the sum was counted by us, not reported. */
  costEstimated: z.boolean(),
  /** Number of attempts whose cost is unknown; they are not in the sum. */
  costUnknown: count,
}))
export type Counters = z.infer<typeof counters>

/** The run axis with the lease as last seen; `lost` when the lease is past its time. */
export const run = objectOnUse(() => ({
  runId: id,
  state: runState,
  startedAt: time,
  endedAt: time.optional(),
  roundId: id.optional(),
  suspendReason: suspendReason.optional(),
  stopRequested: z.boolean(),
  epoch: count,
  owner: externalId.optional(),
  leaseExpiresAt: time.optional(),
  lost: z.boolean(),
  error: z.string().optional(),
}))
export type Run = z.infer<typeof run>

/** A session as it is read: the fold of its log, its lease and the clock. Absent means "has none". */
export const session = objectOnUse(() => ({
  id,
  tenantId: id,
  conversationId: externalId,
  threadId: externalId,
  agentId: externalId,
  agentName: externalId,
  ownerUserId: externalId.optional(),
  userParticipantId: externalId.optional(),
  agentParticipantId: externalId.optional(),
  purpose,
  channel,
  goalText: z.string().optional(),
  title: z.string().optional(),
  pinned: z.boolean(),
  /** Under a legal hold: it can be written to, but nothing of it is deleted or erased. */
  held: z.boolean(),
  lineage,
  parentSessionId: id.optional(),
  rootSessionId: id,
  spawnDepth: count,
  forkedFrom: forkOrigin.optional(),
  providerId: externalId.optional(),
  model: externalId.optional(),
  modelPolicy,
  reasoningEffort: reasoningEffort.optional(),
  personaId: id.optional(),
  seedId: id.optional(),
  status: sessionStatus,
  outcome: outcome.optional(),
  createdAt: time,
  activatedAt: time.optional(),
  endedAt: time.optional(),
  ttlSecs: z.int().min(1).optional(),
  ttlSliding: z.boolean(),
  expiresAt: time.optional(),
  updatedAt: time,
  lastActivityAt: time,
  /** Seq of the last event. */
  seq: z.int().min(1),
  /** Seq of the last event outside a run: what `expectedVersion` compares. */
  version: z.int().min(1),
  counters,
  run: run.optional(),
  openQuestion: question.optional(),
  taskList: taskList.optional(),
  metadata: jsonObject.optional(),
  budget: tokenBudget.optional(),
  contextUsage: contextUsage.optional(),
  summary: summary.optional(),
  compactions: z.array(compactionRecord),
  compressionInstructions: z.string().optional(),
  promptSnapshot: promptSnapshot.optional(),
}))
export type Session = z.infer<typeof session>

/** What a caller gives to create a session. */
export const createInput = onUse(() =>
  z
    .strictObject({
      id: id.optional(),
      conversationId: externalId.optional(),
      threadId: externalId.optional(),
      agentId: externalId,
      agentName: externalId.optional(),
      ownerUserId: externalId.optional(),
      userParticipantId: externalId.optional(),
      agentParticipantId: externalId.optional(),
      purpose: purpose.default('interactive'),
      channel: channel.default('api'),
      goalText: z.string().min(1).optional(),
      title: z.string().min(1).optional(),
      pinned: z.boolean().default(false),
      providerId: externalId.optional(),
      /** A bare name, or `provider/model`: it splits on the first slash. `providerId` wins. */
      model: externalId.optional(),
      modelPolicy: modelPolicy.default('locked'),
      reasoningEffort: reasoningEffort.optional(),
      personaId: id.optional(),
      seedId: id.optional(),
      ttlSecs: z.int().min(1).nullish(),
      ttlSliding: z.boolean().default(false),
      metadata: jsonObject.optional(),
      budget: tokenBudget.optional(),
    })
    .refine(
      (s) => (s.purpose === 'autonomous') === (s.goalText !== undefined),
      'goalText is required iff autonomous',
    ),
)
export type CreateInput = z.input<typeof createInput>
