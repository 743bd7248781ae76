import { z } from 'zod'
import { cacheBreak, promptManifest, promptSnapshot } from './context.ts'
import { externalId, id } from './ids.ts'
import { messagePart, role } from './message.ts'
import { objectOnUse, onUse } from './on-use.ts'

const count = onUse(() => z.int().min(0))

/** What a model would see if it were called now. Counts are tokens. */
export const modelContext = objectOnUse(() => ({
  sessionId: id,
  agentId: externalId,
  providerId: externalId,
  model: externalId,
  /** The system prompt as named sections, and the text that is sent. */
  system: z.strictObject({ sections: promptSnapshot.shape.sections, text: z.string() }),
  /** Names, in the order in which they are sent. */
  tools: z.array(z.string()),
  messages: z.array(
    z.strictObject({
      role,
      parts: z.array(messagePart),
      /** The stored message that this is; absent for a summary, a note and a closing result. */
      messageId: id.optional(),
      /** Of a summary: the compaction that it was made by. */
      compactionId: id.optional(),
    }),
  ),
  /** `total` goes by what the provider counted of the last call, where it did; the others are estimates. */
  tokens: z.strictObject({ system: count, summary: count, window: count, total: count }),
  budget: z.strictObject({
    windowTokens: count,
    outputTokens: count,
    marginTokens: count,
    /** What is left for the context: of these, `total` is used. */
    roomTokens: count,
    /** A context of this size or more is compacted. */
    triggerTokens: count,
    targetTokens: count,
  }),
  manifest: promptManifest,
  /** Where the call would no longer begin with what the last one was sent. */
  cacheBreak: cacheBreak.optional(),
  /** The provider holds what came before; it would be sent `messages` new ones. */
  continues: z.strictObject({ responseId: externalId, messages: count, tokens: count }).optional(),
}))
export type ModelContext = z.infer<typeof modelContext>
