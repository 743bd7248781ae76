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
  measuredAt: time.optional(),
}))
export type ContextUsage = z.infer<typeof contextUsage>

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
