/**
 * A turn as its caller sees it: the events of the log and the text as it is written, from the input on to where the run
 * rests; and what came of it. The turn does not depend on anybody listening.
 */
import type { Followed, UnseenSession } from '@holdfast/core'
import { type Json, type TurnPlace, TurnReading, type TurnResult } from '@holdfast/protocol'
import type { Schema } from '../define/schema.ts'
import { structured } from '../model/structured.ts'

/** Where a caller's interest begins. */
export interface TurnStart {
  session: UnseenSession
  /** Shape of the answer. */
  output?: Schema | undefined
  /** Seq before the input. */
  after: number
  place: TurnPlace
  /** The input was taken before, under the same key. */
  replayed?: boolean
}

export class TurnStream implements AsyncIterable<Followed> {
  readonly #start: Promise<TurnStart>
  #result: Promise<TurnResult> | undefined

  constructor(start: Promise<TurnStart>) {
    this.#start = start
  }

  /** Resolves when the input is durable. `after`: the seq before it. */
  async accepted(): Promise<{ place: TurnPlace; after: number; replayed: boolean }> {
    const { place, after, replayed = false } = await this.#start
    return { place, after, replayed }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Followed, void, void> {
    for await (const batch of this.batches()) yield* batch
  }

  /** The same in the portions in which it comes. Ends early when the signal aborts. */
  async *batches(signal?: AbortSignal): AsyncGenerator<readonly Followed[], void, void> {
    const { session, after, place } = await this.#start
    const reading = new TurnReading(place)
    const options = { after: String(after), ...(signal && { signal }) }
    for await (const batch of session.followBatches(options)) {
      const end = batch.findIndex((item) => item.type === 'event' && reading.add(item.event))
      yield end < 0 ? batch : batch.slice(0, end + 1)
      if (end >= 0) return
    }
  }

  get result(): Promise<TurnResult> {
    this.#result ??= this.resultUnless()
    return this.#result
  }

  /** The same, for one who may leave: then it rejects with the signal's reason, and the turn goes on. */
  async resultUnless(signal?: AbortSignal): Promise<TurnResult> {
    const { place, output } = await this.#start
    const reading = new TurnReading(place)
    for await (const batch of this.batches(signal))
      for (const item of batch) if (item.type === 'event') reading.add(item.event)
    signal?.throwIfAborted()
    return output ? withObject(reading.result, output) : reading.result
  }
}

function withObject(result: TurnResult, output: Schema): TurnResult {
  if (result.outcome !== 'completed') return result
  const object = structured(output, result.text)
  return 'value' in object ? { ...result, object: object.value as Json } : result
}
