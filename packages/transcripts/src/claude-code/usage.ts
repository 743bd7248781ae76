/** Claude's usage figures as a ledger row. Claude Code files carry no price. */
import type { JsonObject, UsageRecord } from '@holdfast/protocol'
import type { Step } from '../batch.ts'
import { objectOf } from './entry.ts'

export interface ModelCall {
  /** `msg_…`: one message is one answered request, however many lines it fills. */
  messageId: string
  model: string | undefined
  usage: JsonObject
  at: string | undefined
}

export const providerId = 'anthropic'

/**
 * No step when the figures are none: no row is better than a row of zeros. Of a call that an earlier import recorded as
 * `paid`, a further row for what was told since; the first is given again, for only one with its id is ever recorded.
 */
export function usageSteps(call: ModelCall, paid?: ModelCall): Step[] {
  const usage = usageOf(call)
  const before = paid && usageOf(paid)
  if (usage === undefined || before === undefined) return stepsOf(call, usage)
  return [...stepsOf(call, before), ...stepsOf(call, moreOf(usage, before))]
}

function stepsOf({ at, usage: raw }: ModelCall, usage: UsageRecord | undefined): Step[] {
  if (!usage) return []
  const step: Step = { command: { type: 'recordUsage', usage }, at }
  return [isPlain(raw) ? step : { ...step, unpriced: true }]
}

const summed = [
  'promptTokens',
  'completionTokens',
  'reasoningTokens',
  'cachedReadTokens',
  'cachedWriteTokens',
  'cachedWriteHourTokens',
] as const

/** Named by the sums that it leads to: a third import has a row of its own. */
function moreOf(usage: UsageRecord, before: UsageRecord): UsageRecord | undefined {
  const more = summed.flatMap((field) => {
    const tokens = Math.max(0, (usage[field] ?? 0) - (before[field] ?? 0))
    return usage[field] === undefined ? [] : [[field, tokens] as const]
  })
  if (more.every(([, tokens]) => tokens === 0)) return undefined
  const attemptId = `${usage.attemptId}.${usage.promptTokens + usage.completionTokens}`
  return within({ ...usage, attemptId, ...Object.fromEntries(more) })
}

/** Figures that move from one to another, or fall, leave parts larger than their whole. */
function within(usage: UsageRecord): UsageRecord {
  const { promptTokens, completionTokens, cachedWriteHourTokens } = usage
  const cachedReadTokens = Math.min(usage.cachedReadTokens, promptTokens)
  const cachedWriteTokens = Math.min(usage.cachedWriteTokens, promptTokens - cachedReadTokens)
  return {
    ...usage,
    reasoningTokens: Math.min(usage.reasoningTokens, completionTokens),
    cachedReadTokens,
    cachedWriteTokens,
    ...(cachedWriteHourTokens !== undefined && {
      cachedWriteHourTokens: Math.min(cachedWriteHourTokens, cachedWriteTokens),
    }),
  }
}

const figures = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens']

export function isSameUsage(one: JsonObject, other: JsonObject): boolean {
  return figures.every((field) => one[field] === other[field])
}

function usageOf({ messageId, usage, model }: ModelCall): UsageRecord | undefined {
  const input = countOf(usage.input_tokens)
  const completionTokens = countOf(usage.output_tokens)
  if (input === undefined || completionTokens === undefined) return undefined
  const cachedWriteTokens = countOf(usage.cache_creation_input_tokens) ?? 0
  const cachedReadTokens = countOf(usage.cache_read_input_tokens) ?? 0
  const thinkingTokens = countOf(objectOf(usage.output_tokens_details)?.thinking_tokens) ?? 0
  const hourTokens = countOf(objectOf(usage.cache_creation)?.ephemeral_1h_input_tokens) ?? 0
  return {
    attemptId: messageId,
    purpose: 'turn',
    status: 'ok',
    providerId,
    ...(model !== undefined && { model }),
    promptTokens: input + cachedWriteTokens + cachedReadTokens,
    completionTokens,
    cachedReadTokens,
    cachedWriteTokens,
    ...(hourTokens > 0 && { cachedWriteHourTokens: Math.min(hourTokens, cachedWriteTokens) }),
    reasoningTokens: Math.min(thinkingTokens, completionTokens),
    estimated: false,
    raw: usage,
    costSource: 'unknown',
  }
}

/** Searches on the server have a price of their own, which no book holds. */
function isPlain(usage: JsonObject): boolean {
  return (countOf(objectOf(usage.server_tool_use)?.web_search_requests) ?? 0) === 0
}

function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

/** The way back: the provider's own figures where they are kept. */
export function usageFields(usage: UsageRecord): JsonObject {
  if (usage.raw && 'input_tokens' in usage.raw && usage.providerId === providerId) return usage.raw
  const { promptTokens, completionTokens, cachedReadTokens, cachedWriteTokens } = usage
  const hour = usage.cachedWriteHourTokens
  const minutes = cachedWriteTokens - (hour ?? 0)
  return {
    input_tokens: promptTokens - cachedReadTokens - cachedWriteTokens,
    cache_creation_input_tokens: cachedWriteTokens,
    cache_read_input_tokens: cachedReadTokens,
    output_tokens: completionTokens,
    ...(hour !== undefined && {
      cache_creation: { ephemeral_5m_input_tokens: minutes, ephemeral_1h_input_tokens: hour },
    }),
  }
}
