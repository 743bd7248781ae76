/** Claude's usage figures as a ledger row. Claude Code files carry no price. */
import type { Json, JsonObject, UsageRecord } from '@holdfast/protocol'
import type { Step } from '../batch.ts'
import { objectOf, textOf } from './entry.ts'

export interface ModelCall {
  /** `msg_…`: one message is one answered request, however many lines it fills. */
  messageId: string
  model: string | undefined
  usage: JsonObject
  at: string | undefined
}

export const providerId = 'anthropic'

/** `paid`: the call as an earlier import recorded it. What is known of its price holds for its advisors too. */
export function usageSteps(call: ModelCall, paid?: ModelCall): Step[] {
  const before = new Map(paid && rowsOf(paid).map((row) => [row.attemptId, row]))
  const rows = rowsOf(call).flatMap((row) => recorded(row, before.get(row.attemptId)))
  const unpriced = isPlain(call.usage) ? {} : ({ unpriced: true } as const)
  return rows.map((usage) => ({ command: { type: 'recordUsage', usage }, at: call.at, ...unpriced }))
}

/**
 * Of what was recorded `before`, a further row for what was told since; the first is given again, for only one with its id is
 * ever recorded.
 */
function recorded(usage: UsageRecord, before: UsageRecord | undefined): UsageRecord[] {
  if (!before) return [usage]
  const more = moreOf(usage, before)
  return more ? [before, more] : [before]
}

/** None when the figures are none: no row is better than a row of zeros. */
function rowsOf({ messageId, model, usage }: ModelCall): UsageRecord[] {
  const own = usageOf(usage, { attemptId: messageId, purpose: 'turn', model })
  const advice = advisorsIn(usage).map((advisor, nth) => {
    const attemptId = `${messageId}/advisor-${nth + 1}`
    return usageOf(advisor, { attemptId, purpose: 'other', model: textOf(advisor.model) })
  })
  return [own, ...advice].filter((row) => row !== undefined)
}

/** Its figures stand among those of the answer. */
export function isOfAdvisor({ attemptId }: UsageRecord): boolean {
  return /\/advisor-\d+(\.\d+)?$/.test(attemptId)
}

/** As many as a commit has room for beside a message; an answer asks a few. */
const mostAdvisors = 100

/** Another model that was asked on the way: its tokens are in no figure of the answer. */
function advisorsIn({ iterations }: JsonObject): JsonObject[] {
  const all = Array.isArray(iterations) ? iterations.map(objectOf).filter((each) => each !== undefined) : []
  return all.filter(({ type }) => type === 'advisor_message').slice(0, mostAdvisors)
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
  const told = [other, ...advisorsIn(other)]
  const known = [one, ...advisorsIn(one)]
  return (
    known.length === told.length &&
    known.every((each, nth) => figures.every((field) => each[field] === told[nth]?.[field]))
  )
}

function usageOf(
  usage: JsonObject,
  { attemptId, purpose, model }: Pick<UsageRecord, 'attemptId' | 'purpose' | 'model'>,
): UsageRecord | undefined {
  const input = countOf(usage.input_tokens)
  const completionTokens = countOf(usage.output_tokens)
  if (input === undefined || completionTokens === undefined) return undefined
  const cachedWriteTokens = countOf(usage.cache_creation_input_tokens) ?? 0
  const cachedReadTokens = countOf(usage.cache_read_input_tokens) ?? 0
  const thinkingTokens = countOf(objectOf(usage.output_tokens_details)?.thinking_tokens) ?? 0
  const hourTokens = countOf(objectOf(usage.cache_creation)?.ephemeral_1h_input_tokens) ?? 0
  return {
    attemptId,
    purpose,
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

/** Searches on the server have a price of their own, and so has haste or a place: no book holds them. */
function isPlain(usage: JsonObject): boolean {
  const searches = countOf(objectOf(usage.server_tool_use)?.web_search_requests) ?? 0
  return searches === 0 && listed.every(([field, values]) => values.includes(usage[field] ?? ''))
}

/** What a call says of itself that the list price holds for; empty: nothing. */
const listed: readonly [field: string, values: readonly Json[]][] = [
  ['speed', ['', 'standard']],
  ['service_tier', ['', 'standard']],
  ['inference_geo', ['', 'not_available', 'global']],
]

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
