/** Codex tells totals that grow; the ledger wants a row for each call. */
import type { Json, JsonObject, UsageRecord } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { Counters } from './counters.ts'
import { textOf } from './meta.ts'
import { isSame, isWithin, less, nothing, type Totals, totalsOf } from './totals.ts'

export class TokenCounts {
  /** Empty: the first totals hold what was counted in another file too. */
  readonly #counters: Counters
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
    this.#counters = new Counters(position, elsewhere === undefined)
  }

  position(): JsonObject {
    return this.#counters.position()
  }

  /** The call that led to these totals; undefined when they were told before. */
  read(payload: JsonObject, line: number, model: string | undefined): UsageRecord | undefined {
    const info = objectOf(payload.info) ?? {}
    const totals = totalsOf(objectOf(info.total_token_usage))
    if (!totals) return undefined
    const last = totalsOf(objectOf(info.last_token_usage))
    const isFirst = this.#counters.isEmpty
    const taken = this.#counters.take({
      totals,
      last,
      limit: textOf(objectOf(payload.rate_limits)?.limit_id),
    })
    const call = isFirst ? this.#sinceElsewhere(totals, last) : taken
    if (isSame(call, nothing)) return undefined
    return rowOf(call, { attemptId: `${this.#name}.${line}`, purpose: 'turn', model, raw: info })
  }

  /** Of the first totals, where only the last call is of this file for sure. */
  #sinceElsewhere(totals: Totals, last: Totals | undefined): Totals {
    if (this.#elsewhere.some((told) => isSame(told, totals))) return nothing
    const newest = this.#elsewhere.find((told) => isWithin(told, totals))
    return last ?? (newest ? less(totals, newest) : nothing)
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

function cachedIn({ input_tokens: input, cached_input_tokens, cache_write_input_tokens }: Totals) {
  const cachedReadTokens = Math.min(cached_input_tokens, input)
  return { cachedReadTokens, cachedWriteTokens: Math.min(cache_write_input_tokens, input - cachedReadTokens) }
}
