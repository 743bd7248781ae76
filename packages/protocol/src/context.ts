import { z } from 'zod'
import { externalId, id } from './ids.ts'
import { objectOnUse, onUse } from './on-use.ts'
import { time } from './time.ts'

const count = onUse(() => z.int().min(0))
const percent = onUse(() => z.int().min(1).max(100))

export const budgetStrategy = onUse(() =>
  z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('window'), messages: z.int().min(1) }),
    z.strictObject({ type: z.literal('hybrid') }),
  ]),
)

/** Ceilings of what a session and the children it grants to may consume. Absent: no ceiling. */
export const spendLimits = objectOnUse(() => ({
  tokens: count.optional(),
  costMicrocents: count.optional(),
  wallMs: count.optional(),
  toolCalls: count.optional(),
}))
export type SpendLimits = z.infer<typeof spendLimits>

/** How large a context may be, when it is compacted, and what may be spent. Token counts unless the name says otherwise. */
export const tokenBudget = objectOnUse(() => ({
  maxContextTokens: z.int().min(1).default(128_000),
  /** Absent: a quarter of the window, at most 16,384. */
  maxOutputTokens: z.int().min(1).optional(),
  strategy: budgetStrategy.default({ type: 'hybrid' }),
  /** Absent: 1 % of the window, held to 100–2,000. */
  safetyMarginTokens: count.optional(),
  /** Legacy: used only when `workingReserveTokens` is 0. */
  triggerPercent: percent.default(85),
  /** Held to 20–50 and below the trigger. */
  targetPercent: percent.default(40),
  /** Applies when the window is at least twice it. */
  workingReserveTokens: count.default(50_000),
  fallbackTriggerPercent: percent.default(75),
  maxToolOutputTokens: count.optional(),
  spend: spendLimits.default({}),
}))
export type TokenBudget = z.infer<typeof tokenBudget>
export type TokenBudgetInput = z.input<typeof tokenBudget>

/** Size of the last prepared context: a snapshot, not a sum. */
export const contextUsage = objectOnUse(() => ({
  systemTokens: count.default(0),
  summaryTokens: count.default(0),
  windowTokens: count.default(0),
  totalTokens: count,
  budgetTokens: count,
  messagesKept: count.optional(),
  messagesDropped: count.optional(),
  /** Who counted `totalTokens`: the provider, once it answered; else our estimate of what the provider would count. */
  countedBy: z.enum(['provider', 'estimate']).optional(),
  measuredAt: time.optional(),
}))
export type ContextUsage = z.infer<typeof contextUsage>

/** `tools` is all of them as JSON; `section` one of the system prompt; a `summary` is one message, `messages` one or more. */
export const promptBlockKind = onUse(() => z.enum(['model', 'tools', 'section', 'summary', 'messages']))
export type PromptBlockKind = z.infer<typeof promptBlockKind>

const blockFields = {
  kind: promptBlockKind,
  /** `<provider>/<model>`, the name of a section, the id of a summary's compaction. */
  name: z.string().max(1_024).optional(),
}

/** A stretch of what a model call was sent. Bytes are of its UTF-8 JSON or text, tokens are estimated. */
export const promptBlock = objectOnUse(() => ({
  ...blockFields,
  /** 16 hex digits of a SHA-256: of the block alone; of a summary and of messages, of all messages through the block's end. */
  hash: z.string().regex(/^[0-9a-f]{16}$/),
  bytes: count,
  tokens: count,
  /** Of a summary and of messages: how many the block has. */
  messages: z.int().min(1).optional(),
}))
export type PromptBlock = z.infer<typeof promptBlock>

/** What a model call was sent, block by block, in the order in which providers cache it. Older messages share a block. */
export const promptManifest = objectOnUse(() => ({
  blocks: z.array(promptBlock).max(256),
  bytes: count,
  /** Estimated. */
  tokens: count,
}))
export type PromptManifest = z.infer<typeof promptManifest>

/** Where a call no longer began with what the call before it was sent, so that the provider's cache ends there. */
export const cacheBreak = objectOnUse(() => ({
  /** The first block that is not where it was. */
  ...blockFields,
  /** `changed`: something else stands in its place; `moved`: it stands elsewhere now. */
  change: z.enum(['changed', 'moved', 'added', 'removed']),
  /** The stretch in what was sent before. */
  fromByte: count,
  toByte: count,
  fromToken: count,
  /** Tokens that were sent before and must be read anew: at most what the cache would have held. */
  rereadTokens: count,
  /** What they cost more than from the cache, in 10⁻⁶ of a US cent; absent when the price is not known. */
  costMicrocents: count.optional(),
}))
export type CacheBreak = z.infer<typeof cacheBreak>

export const pressureLevel = onUse(() => z.enum(['elevated', 'high', 'critical']))

/** The system prompt as named sections and the text that is sent. */
export const promptSnapshot = objectOnUse(() => ({
  sections: z.array(z.strictObject({ name: z.string().min(1).max(256), text: z.string() })).max(128),
  effectiveText: z.string(),
}))
export type PromptSnapshot = z.infer<typeof promptSnapshot>

export const compactionTrigger = onUse(() => z.enum(['manual', 'pressure', 'overflow', 'model_free']))

/** One compaction: the covered range, both ends included, and its before and after figures. */
export const compactionRecord = objectOnUse(() => ({
  compactionId: id,
  from: z.int().min(1),
  to: z.int().min(1),
  trigger: compactionTrigger,
  tokensBefore: count,
  tokensAfter: count,
  messagesCovered: count,
  model: externalId.optional(),
}))
export type CompactionRecord = z.infer<typeof compactionRecord>

/** The summary in force: the text that stands for the covered range. */
export const summary = objectOnUse(() => ({
  text: z.string(),
  from: z.int().min(1),
  to: z.int().min(1),
  messagesCovered: count,
  tokens: count,
  seq: z.int().min(1),
}))
export type Summary = z.infer<typeof summary>
