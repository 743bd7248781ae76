import { z } from 'zod'
import { promptSnapshot } from '../context.ts'
import { externalId, id } from '../ids.ts'
import { json, jsonObject } from '../json.ts'
import { objectOnUse, onUse } from '../on-use.ts'
import { channel, forkOrigin, lineage, modelPolicy, outcome, purpose, reasoningEffort } from '../session.ts'
import { time } from '../time.ts'

const modelRef = () => ({ providerId: externalId.optional(), model: externalId.optional() })

const identity = () => ({
  sessionId: id,
  conversationId: externalId,
  threadId: externalId,
  agentId: externalId,
  agentName: externalId,
  ownerUserId: externalId.optional(),
  userParticipantId: externalId.optional(),
  agentParticipantId: externalId.optional(),
  channel,
  ...modelRef(),
  modelPolicy,
  ttlSecs: z.int().min(1).optional(),
  ttlSliding: z.boolean(),
})

export const sessionEvents = {
  'session.created': objectOnUse(() => ({
    ...identity(),
    tenantId: id,
    purpose,
    goalText: z.string().optional(),
    title: z.string().optional(),
    pinned: z.boolean(),
    lineage,
    parentSessionId: id.optional(),
    rootSessionId: id,
    spawnDepth: z.int().min(0),
    reasoningEffort: reasoningEffort.optional(),
    personaId: id.optional(),
    seedId: id.optional(),
    metadata: jsonObject.optional(),
  })),
  /** First own event of a fork, in place of `session.created`: a new identity over the source's messages and tasks. */
  'session.forked': objectOnUse(() => ({
    ...identity(),
    tenantId: id,
    purpose,
    goalText: z.string().optional(),
    title: z.string().optional(),
    origin: forkOrigin,
  })),
  'session.activated': objectOnUse(modelRef),
  'session.renamed': objectOnUse(() => ({ title: z.string().nullable(), automatic: z.boolean() })),
  'session.pinned': objectOnUse(() => ({ pinned: z.boolean() })),
  /** A legal hold: while it is on, nothing of the session is deleted or erased. */
  'session.held': objectOnUse(() => ({ held: z.boolean(), reason: z.string().max(1_024).optional() })),
  /** `patch`: null removes a key. `replace`: the whole object, null for none. */
  'session.metadata_changed': onUse(() =>
    z.discriminatedUnion('mode', [
      z.strictObject({ mode: z.literal('patch'), values: jsonObject }),
      z.strictObject({ mode: z.literal('replace'), values: jsonObject.nullable() }),
    ]),
  ),
  'session.model_changed': objectOnUse(modelRef),
  'session.seed_set': objectOnUse(() => ({ seedId: id.nullable(), seed: jsonObject.optional() })),
  'session.persona_set': objectOnUse(() => ({ personaId: id.nullable(), persona: jsonObject.optional() })),
  'session.effort_changed': objectOnUse(() => ({ reasoningEffort: reasoningEffort.nullable() })),
  'session.instructions_set': objectOnUse(() => ({ instructions: z.string().nullable() })),
  'session.closed': objectOnUse(() => ({
    outcome: outcome.optional(),
    reason: z.string().max(1_024).optional(),
  })),
  'session.expired': objectOnUse(() => ({ expiresAt: time })),
  /** Bodies of these seqs were erased; usage rows stay without content. */
  'session.erased': objectOnUse(() => ({
    seqs: z.array(z.int().min(1)),
    reason: z.string().max(1_024).optional(),
  })),
  /** What a repair closed or corrected; repairs append, they never rewrite. */
  'session.repaired': objectOnUse(() => ({ findings: z.array(z.string().max(1_024)) })),
  'prompt.snapshot_set': promptSnapshot,
  'checkpoint.saved': objectOnUse(() => ({
    threadId: externalId,
    namespace: z.string().max(256),
    checkpointId: id,
    parentId: id.optional(),
  })),
  /** A record that is no message: a late tool result, an imported line kept as it was, a host's remark. */
  'note.added': objectOnUse(() => ({
    kind: externalId,
    text: z.string().optional(),
    data: json.optional(),
    callId: externalId.optional(),
  })),
} as const
