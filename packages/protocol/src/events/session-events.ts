import { z } from 'zod'
import { promptSnapshot } from '../context.ts'
import { externalId, id } from '../ids.ts'
import { json, jsonObject } from '../json.ts'
import { channel, forkOrigin, lineage, modelPolicy, outcome, purpose, reasoningEffort } from '../session.ts'
import { time } from '../time.ts'

const modelRef = { providerId: externalId.optional(), model: externalId.optional() }

const identity = {
  sessionId: id,
  conversationId: externalId,
  threadId: externalId,
  agentId: externalId,
  agentName: externalId,
  ownerUserId: externalId.optional(),
  userParticipantId: externalId.optional(),
  agentParticipantId: externalId.optional(),
  channel,
  ...modelRef,
  modelPolicy,
  ttlSecs: z.int().min(1).optional(),
  ttlSliding: z.boolean(),
}

export const sessionEvents = {
  'session.created': z.strictObject({
    ...identity,
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
  }),
  /** First own event of a fork, in place of `session.created`: a new identity over the source's messages and tasks. */
  'session.forked': z.strictObject({
    ...identity,
    tenantId: id,
    purpose,
    goalText: z.string().optional(),
    title: z.string().optional(),
    origin: forkOrigin,
  }),
  'session.activated': z.strictObject(modelRef),
  'session.renamed': z.strictObject({ title: z.string().nullable(), automatic: z.boolean() }),
  'session.pinned': z.strictObject({ pinned: z.boolean() }),
  /** A legal hold: while it is on, nothing of the session is deleted or erased. */
  'session.held': z.strictObject({ held: z.boolean(), reason: z.string().max(1_024).optional() }),
  /** `patch`: null removes a key. `replace`: the whole object, null for none. */
  'session.metadata_changed': z.discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('patch'), values: jsonObject }),
    z.strictObject({ mode: z.literal('replace'), values: jsonObject.nullable() }),
  ]),
  'session.model_changed': z.strictObject(modelRef),
  'session.seed_set': z.strictObject({ seedId: id.nullable(), seed: jsonObject.optional() }),
  'session.persona_set': z.strictObject({ personaId: id.nullable(), persona: jsonObject.optional() }),
  'session.effort_changed': z.strictObject({ reasoningEffort: reasoningEffort.nullable() }),
  'session.instructions_set': z.strictObject({ instructions: z.string().nullable() }),
  'session.closed': z.strictObject({ outcome: outcome.optional(), reason: z.string().max(1_024).optional() }),
  'session.expired': z.strictObject({ expiresAt: time }),
  /** Bodies of these seqs were erased; usage rows stay without content. */
  'session.erased': z.strictObject({
    seqs: z.array(z.int().min(1)),
    reason: z.string().max(1_024).optional(),
  }),
  /** What a repair closed or corrected; repairs append, they never rewrite. */
  'session.repaired': z.strictObject({ findings: z.array(z.string().max(1_024)) }),
  'prompt.snapshot_set': promptSnapshot,
  'checkpoint.saved': z.strictObject({
    threadId: externalId,
    namespace: z.string().max(256),
    checkpointId: id,
    parentId: id.optional(),
  }),
  /** A record that is no message: a late tool result, an imported line kept as it was, a host's remark. */
  'note.added': z.strictObject({
    kind: externalId,
    text: z.string().optional(),
    data: json.optional(),
    callId: externalId.optional(),
  }),
} as const
