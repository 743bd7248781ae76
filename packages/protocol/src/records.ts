import { z } from 'zod'
import { externalId, id } from './ids.ts'
import { jsonObject } from './json.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { priceBook } from './price-book.ts'
import { channel, reasoningEffort } from './session.ts'
import { time } from './time.ts'

/** What a key may do. None implies another. */
export const scope = onUse(() => z.enum(['read', 'write', 'answer', 'run', 'admin']))
export type Scope = z.infer<typeof scope>

const text = onUse(() => z.string().max(64 * 1024))
const sha256 = onUse(() => z.string().regex(/^[0-9a-f]{64}$/))

/** What is kept beside the sessions of a tenant. Seeds and persona generations are insert-only. */
export const recordSchemas = {
  agent: objectOnUse(() => ({
    name: externalId,
    instructions: text.optional(),
    providerId: externalId.optional(),
    model: externalId.optional(),
    reasoningEffort: reasoningEffort.optional(),
    personaId: id.optional(),
  })),
  persona: objectOnUse(() => ({
    name: externalId,
    role: text.optional(),
    description: text.optional(),
    systemPrompt: text.optional(),
    model: externalId.optional(),
    traits: z.array(z.string().max(1_024)).max(64).default([]),
    generation: z.int().min(1).default(1),
  })),
  seed: objectOnUse(() => ({
    goal: text,
    constraints: z.array(text).max(64).default([]),
    acceptanceCriteria: z.array(text).max(64).default([]),
    ontology: z
      .array(z.strictObject({ name: externalId, description: text }))
      .max(256)
      .default([]),
    generation: z.int().min(1).default(1),
    parentSeedId: id.optional(),
    originalRequest: text.optional(),
    outputSchema: jsonObject.optional(),
  })),
  conversation: objectOnUse(() => ({
    title: z.string().max(512).optional(),
    channel: channel.optional(),
    metadata: jsonObject.optional(),
  })),
  participant: objectOnUse(() => ({
    conversationId: externalId,
    kind: z.enum(['user', 'ai_agent', 'human_agent']),
    name: z.string().max(512).optional(),
    userId: externalId.optional(),
    agentId: externalId.optional(),
  })),
  /** A file that was imported, named by the hash of its path. `stamp`: how it was then, so that it is not read again. */
  import_source: objectOnUse(() => ({ path: text, format: externalId, stamp: text })),
  price_book: priceBook,
  /** A key as it is kept: what it was given as is known by its digest alone. */
  api_key: objectOnUse(() => ({
    name: z.string().min(1).max(512),
    /** HMAC-SHA-256 of the key, under the server's pepper. */
    digest: sha256,
    tenantId: id,
    scopes: z.array(scope).min(1).max(scope.options.length),
    /** Only sessions of this user. */
    userId: externalId.optional(),
    /** Only these sessions. */
    sessionIds: z.array(id).min(1).max(64).optional(),
    /** Requests a minute; absent: as its tenant. */
    perMin: z.int().min(1).optional(),
    createdAt: time,
    expiresAt: time.optional(),
    revokedAt: time.optional(),
  })),
  /** A tenant of a server, by its id, and what it may use; absent: without bound. */
  tenant: objectOnUse(() => ({
    name: z.string().min(1).max(512).optional(),
    quotas: z
      .strictObject({
        /** All its keys together, of one server. */
        requestsPerMin: z.int().min(1).optional(),
        /** New sessions, children and forks too, and events in all of them; of all servers of a store together. */
        sessionsPerDay: z.int().min(1).optional(),
        eventsPerDay: z.int().min(1).optional(),
      })
      .default({}),
  })),
  /** What a tenant used of its quotas of a day, by its id, as it was at that time: it leaks away over a day. */
  quota_use: objectOnUse(() => ({ at: time, events: z.number().min(0), sessions: z.number().min(0) })),
  /** One deed of administration, or one refusal of access, by an id that rises with time. */
  audit_entry: objectOnUse(() => ({
    at: time,
    tenantId: id,
    /** Method and path of the route. */
    action: z.string(),
    /** What the path named. */
    ids: z.record(z.string(), z.string()),
    /** `done`, or the code of the failure. */
    outcome: z.string(),
    requestId: z.string(),
    keyId: id.optional(),
    userId: externalId.optional(),
    /** Refusals before this one that were too many to be told of. */
    untold: z.int().min(1).optional(),
  })),
  /** The answer of a change that no log has the idempotency key of. Digests and a cipher, as both may be anybody's words. */
  kept_answer: objectOnUse(() => ({
    /** Of the key and who used it. */
    digest: sha256,
    /** Of what was asked; of the lines of its body, where that is read as lines. */
    asked: sha256,
    lines: sha256.optional(),
    /** Until then it is kept. */
    until: time,
    /** Absent: begun, and not known to have ended. */
    sealed: z.string().optional(),
  })),
  /** Which price book new usage is rated by. */
  current_price_book: objectOnUse(() => ({ priceBookId: id })),
} as const

export type RecordKind = keyof typeof recordSchemas
export type RecordBody<K extends RecordKind> = z.infer<(typeof recordSchemas)[K]>
export const insertOnlyRecords: readonly RecordKind[] = ['persona', 'seed', 'price_book', 'audit_entry']
