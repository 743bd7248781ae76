import { z } from 'zod'
import { externalId, id } from './ids.ts'
import { jsonObject } from './json.ts'
import { onUse } from './on-use.ts'
import { time } from './time.ts'

const count = onUse(() => z.int().min(0))

/** `turn` is an agent's own call; the others are calls made to keep the session going. */
export const usagePurpose = onUse(() => z.enum(['turn', 'compaction', 'title', 'evaluation', 'other']))

export const usageStatus = onUse(() => z.enum(['ok', 'failed', 'aborted']))

/** Where the price came from. Provider-reported wins over the price book; `unknown` is not free. */
export const costSource = onUse(() => z.enum(['provider', 'price_book', 'unknown']))

/**
 * One model call attempt: a row of the ledger. Tokens are counts; `reasoningTokens` is inside `completionTokens`, the
 * cached counts are inside `promptTokens`. `costMicrocents` is in 10⁻⁶ of a US cent and absent when unknown.
 */
export const usageRecord = onUse(() =>
  z
    .strictObject({
      /** Unique in the session for ever: recording it again is a no-op. */
      attemptId: externalId,
      runId: id.optional(),
      roundId: id.optional(),
      /** When the call was made: what the ledger's row is dated and priced by. Absent: when it was recorded. */
      at: time.optional(),
      purpose: usagePurpose.default('turn'),
      status: usageStatus.default('ok'),
      providerId: externalId.optional(),
      model: externalId.optional(),
      promptTokens: count,
      completionTokens: count,
      reasoningTokens: count.default(0),
      cachedReadTokens: count.default(0),
      cachedWriteTokens: count.default(0),
      /** Of `cachedWriteTokens`, those that are kept for an hour, which costs more. Absent: none. */
      cachedWriteHourTokens: count.optional(),
      costMicrocents: count.optional(),
      costSource: costSource.default('unknown'),
      priceBook: externalId.optional(),
      /** Not reported by the provider but counted by us, as after an abort. */
      estimated: z.boolean().default(false),
      /** New input tokens that this request added to a provider context; a retry within the round counts once. */
      context: z.strictObject({ contextId: id, tokens: count }).optional(),
      /** The provider's own usage object, byte-exact. */
      raw: jsonObject.optional(),
    })
    .refine((u) => u.reasoningTokens <= u.completionTokens, 'reasoningTokens is a part of completionTokens')
    .refine(
      (u) => u.cachedReadTokens + u.cachedWriteTokens <= u.promptTokens,
      'cached tokens are a part of promptTokens',
    )
    .refine(
      (u) => (u.cachedWriteHourTokens ?? 0) <= u.cachedWriteTokens,
      'cachedWriteHourTokens is a part of cachedWriteTokens',
    )
    .refine(
      (u) => (u.costMicrocents === undefined) === (u.costSource === 'unknown'),
      'a cost needs its source',
    ),
)
export type UsageRecord = z.infer<typeof usageRecord>
export type UsageInput = z.input<typeof usageRecord>
