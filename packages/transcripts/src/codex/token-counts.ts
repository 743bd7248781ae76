/** Codex tells totals that grow; the ledger wants a row for each call. */
import type { Json, JsonObject, UsageRecord } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'

const fields = [
  'input_tokens',
  'cached_input_tokens',
  'cache_write_input_tokens',
  'output_tokens',
  'reasoning_output_tokens',
] as const
type Totals = Record<(typeof fields)[number], number>

export class TokenCounts {
  /** Undefined: the first totals hold what was counted in another file too. */
  #before: Totals | undefined
  /** What that file told; the first totals may tell it again. */
  readonly #elsewhere: readonly Totals[]
  readonly #name: string
  #told: JsonObject | undefined

  /**
   * `position`: where an earlier reading stopped. `elsewhere`: totals of the file that this one goes on from. `rollout`: this
   * one's name, where the session has rows of that one too.
   */
  constructor(
    position: JsonObject | undefined,
    {
      elsewhere,
      rollout,
    }: { elsewhere: readonly (Json | undefined)[] | undefined; rollout: string | undefined },
  ) {
    this.#name = rollout === undefined ? 'token_count' : `${rollout}.token_count`
    this.#elsewhere = elsewhere?.flatMap((totals) => totalsOf(objectOf(totals)) ?? []) ?? []
    this.#before = totalsOf(objectOf(position?.totals)) ?? (elsewhere ? undefined : nothing)
  }

  position(): JsonObject {
    return this.#before ? { totals: { ...this.#before } } : {}
  }

  /** The call between the last totals and these; undefined when they are the same. */
  read(info: JsonObject, line: number, model: string | undefined): UsageRecord | undefined {
    const totals = totalsOf(objectOf(info.total_token_usage))
    if (!totals) return undefined
    const before = this.#before ?? this.#elsewhere.find((told) => isSame(told, totals))
    const last = totalsOf(objectOf(info.last_token_usage))
    const isLater = before && fields.every((field) => totals[field] >= before[field])
    const call = isLater ? less(totals, before) : (last ?? this.#unlessElsewhere(totals))
    this.#before = totals
    if (fields.every((field) => call[field] === 0)) return undefined
    return rowOf(call, { attemptId: `${this.#name}.${line}`, purpose: 'turn', model, raw: info })
  }

  /** Nothing tells what the last call was. */
  #unlessElsewhere(totals: Totals): Totals {
    if (this.#before) return totals
    const newest = this.#elsewhere.find((told) => fields.every((field) => totals[field] >= told[field]))
    return newest ? less(totals, newest) : nothing
  }

  /** A response tells its own usage too, in a line of its own. */
  told({ response_id, usage }: JsonObject): void {
    this.#told = { ...(response_id !== undefined && { response_id }), ...(usage !== undefined && { usage }) }
  }

  /** The totals leave out the call that wrote a summary: it was told of just before. */
  ofSummary(
    { compaction_response_id: id }: JsonObject,
    line: number,
    model: string | undefined,
  ): UsageRecord | undefined {
    const raw = id !== undefined && this.#told?.response_id === id ? objectOf(this.#told.usage) : undefined
    const call = totalsOf(raw)
    const attemptId = `${this.#name}.${line}`
    return raw && call && rowOf(call, { attemptId, purpose: 'compaction', model, raw })
  }
}

function rowOf(
  call: Totals,
  { model, ...row }: Pick<UsageRecord, 'attemptId' | 'purpose' | 'raw'> & { model: string | undefined },
): UsageRecord {
  return {
    ...row,
    status: 'ok',
    providerId: 'openai',
    ...(model !== undefined && { model }),
    promptTokens: call.input_tokens,
    completionTokens: call.output_tokens,
    ...cachedIn(call),
    reasoningTokens: Math.min(call.reasoning_output_tokens, call.output_tokens),
    estimated: false,
    costSource: 'unknown',
  }
}

const nothing: Totals = {
  input_tokens: 0,
  cached_input_tokens: 0,
  cache_write_input_tokens: 0,
  output_tokens: 0,
  reasoning_output_tokens: 0,
}

function cachedIn({ input_tokens: input, cached_input_tokens, cache_write_input_tokens }: Totals) {
  const cachedReadTokens = Math.min(cached_input_tokens, input)
  return { cachedReadTokens, cachedWriteTokens: Math.min(cache_write_input_tokens, input - cachedReadTokens) }
}

function isSame(one: Totals, other: Totals): boolean {
  return fields.every((field) => one[field] === other[field])
}

function less(totals: Totals, before: Totals): Totals {
  return Object.fromEntries(fields.map((field) => [field, totals[field] - before[field]])) as Totals
}

function totalsOf(usage: JsonObject | undefined): Totals | undefined {
  if (!usage) return undefined
  const found = fields.map((field) => [field, usage[field] ?? 0] as const)
  const isSound = found.every(
    ([, value]) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
  )
  return isSound ? (Object.fromEntries(found) as Totals) : undefined
}
