import { z } from 'zod'
import { externalId, id } from './ids.ts'
import { jsonObject } from './json.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { priceBook } from './price-book.ts'
import { channel, reasoningEffort } from './session.ts'

const text = onUse(() => z.string().max(64 * 1024))

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
  /** Which price book new usage is rated by. */
  current_price_book: objectOnUse(() => ({ priceBookId: id })),
} as const

export type RecordKind = keyof typeof recordSchemas
export type RecordBody<K extends RecordKind> = z.infer<(typeof recordSchemas)[K]>
export const insertOnlyRecords: readonly RecordKind[] = ['persona', 'seed', 'price_book']
