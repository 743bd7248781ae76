/** Codex tells totals that grow; the ledger wants a row for each call. */
import type { JsonObject, UsageRecord } from '@holdfast/protocol'
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
  /** Undefined: what was counted before is not known. */
  #before: Totals | undefined

  readonly #name: string

  /**
   * `position`: where an earlier reading stopped. `goesOn`: the first totals hold what was counted in another file; `rollout`:
   * this one's name, where the session has rows of that one too.
   */
  constructor(
    position: JsonObject | undefined,
    { goesOn, rollout }: { goesOn: boolean; rollout: string | undefined },
  ) {
    this.#name = rollout === undefined ? 'token_count' : `${rollout}.token_count`
    this.#before = totalsOf(objectOf(position?.totals)) ?? (goesOn ? undefined : nothing)
  }

  position(): JsonObject {
    return this.#before ? { totals: { ...this.#before } } : {}
  }

  /** The call between the last totals and these; undefined when they are the same. */
  read(info: JsonObject, line: number, model: string | undefined): UsageRecord | undefined {
    const totals = totalsOf(objectOf(info.total_token_usage))
    if (!totals) return undefined
    const before = this.#before
    const follows = before && fields.every((field) => totals[field] >= before[field])
    const call = follows ? less(totals, before) : (totalsOf(objectOf(info.last_token_usage)) ?? totals)
    this.#before = totals
    if (fields.every((field) => call[field] === 0)) return undefined
    return {
      attemptId: `${this.#name}.${line}`,
      purpose: 'turn',
      status: 'ok',
      providerId: 'openai',
      ...(model !== undefined && { model }),
      promptTokens: call.input_tokens,
      completionTokens: call.output_tokens,
      ...cachedIn(call),
      reasoningTokens: Math.min(call.reasoning_output_tokens, call.output_tokens),
      estimated: false,
      costSource: 'unknown',
      raw: info,
    }
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
