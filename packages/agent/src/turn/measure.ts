/**
 * What the log says of the context of a model's calls in a round: how large it is, block by block, and where it broke the
 * provider's cache. Said once before a call where something is written before it; and with the answer, when the provider counted.
 */
import type { LanguageModelV4 } from '@ai-sdk/provider'
import type { ContextState, HostCommand } from '@holdfast/core'
import { type CacheBreak, toTime, type UsageRecord } from '@holdfast/protocol'
import { type Continuation, continuationOf } from '../context/continuation.ts'
import { modelBlock } from '../context/manifest.ts'
import { pricedBreak } from '../context/priced-break.ts'
import { isPlausible, type Size, sizeUp } from '../context/size-up.ts'
import type { Prepared } from './prepare.ts'
import type { Turn } from './turn.ts'

export class Measure {
  readonly size: Size
  /** What the provider holds, to go on from; undefined: it is sent everything. */
  continuation: Continuation | undefined
  readonly #turn: Turn
  readonly #before: ContextState
  readonly #budgetTokens: number
  readonly #cacheBreak: CacheBreak | undefined
  /** Why what the provider holds ends. */
  readonly #ends: string | undefined
  #isSaid = false

  private constructor(
    turn: Turn,
    before: ContextState,
    { budget }: Prepared,
    size: Size,
    held: ReturnType<typeof continuationOf>,
    cacheBreak: CacheBreak | undefined,
  ) {
    this.#turn = turn
    this.#before = before
    this.#budgetTokens = budget.roomTokens
    this.size = size
    this.#cacheBreak = cacheBreak
    if (held && 'why' in held) this.#ends = held.why
    else this.continuation = held
  }

  static async of(turn: Turn, prepared: Prepared, model: LanguageModelV4): Promise<Measure> {
    const { window, kept } = prepared
    const { agent, world } = turn
    const state = turn.before ?? (await turn.session.contextState())
    const size =
      model === prepared.model
        ? prepared
        : sizeUp([modelBlock(model), ...prepared.systemBlocks], window, state.lastCall)
    const held = continuationOf(agent, model, { state, size, window, kept, nowMs: world.now() })
    const cacheBreak = size.broken && (await pricedBreak(world, model, size.broken))
    return new Measure(turn, state, prepared, size, held, cacheBreak)
  }

  /** What is still to be said. */
  unsaid(): HostCommand[] {
    return this.#isSaid ? [] : this.#saying(this.size.tokens.total, 'estimate')
  }

  /** That was written. */
  said(): void {
    this.#isSaid = true
  }

  /** What is to be said with an answer, whose provider may have counted the prompt. */
  answered({ promptTokens, estimated }: UsageRecord): HostCommand[] {
    const isCounted = !estimated && isPlausible(promptTokens, this.size.manifest.tokens)
    return isCounted ? this.#saying(promptTokens, 'provider') : this.unsaid()
  }

  /** The next look at the context goes by it. */
  #saying(totalTokens: number, countedBy: 'provider' | 'estimate'): HostCommand[] {
    const { tokens, manifest } = this.size
    const usage = {
      systemTokens: tokens.system,
      summaryTokens: tokens.summary,
      windowTokens: Math.max(0, totalTokens - tokens.system - tokens.summary),
      totalTokens,
      budgetTokens: this.#budgetTokens,
      countedBy,
      measuredAt: toTime(this.#turn.world.now()),
    }
    this.#turn.before = { ...this.#before, lastCall: { usage, manifest } }
    if (this.#isSaid) return [{ type: 'measureContext', usage, manifest }]
    const cacheBreak = this.#cacheBreak && { cacheBreak: this.#cacheBreak }
    const ends =
      this.#ends === undefined ? [] : [{ type: 'invalidateProviderContext' as const, reason: this.#ends }]
    return [...ends, { type: 'measureContext', usage, manifest, ...cacheBreak }]
  }
}
