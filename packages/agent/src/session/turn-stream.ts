/**
 * A turn as its caller sees it: the events of the log and the text as it is written, from the input on to where the run
 * rests; and what came of it. The turn does not depend on anybody listening.
 */
import { type Followed, FollowedEvent, type UnseenSession } from '@holdfast/core'
import { decodeCursor, type Json, type TurnPlace, TurnReading, type TurnResult } from '@holdfast/protocol'
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
  /** The message waits for the turn under way to end, or to take it in. */
  waiting?: boolean
  /** The input was taken before, under the same key. */
  replayed?: boolean
}

export interface Accepted {
  /** The seq before the input. */
  after: number
  /** Of the input, where there is one. */
  messageId?: string
  /** It waits for the turn under way to end, or to take it in. */
  waiting: boolean
  /** It was taken before, under the same key. */
  replayed: boolean
}

export class TurnStream implements AsyncIterable<Followed> {
  readonly #start: Promise<TurnStart>
  readonly #closed: AbortSignal
  #result: Promise<TurnResult> | undefined

  /** `closed`: nobody works on turns here any more. A refusal is told to who asks; that nobody does ends no process. */
  constructor(start: Promise<TurnStart>, closed: AbortSignal) {
    start.catch(() => {})
    this.#start = start
    this.#closed = closed
  }

  /** Resolves when the input is durable. */
  async accepted(): Promise<Accepted> {
    const { place, after, waiting = false, replayed = false } = await this.#start
    const messageId = 'messageId' in place && { messageId: place.messageId }
    return { ...messageId, after, waiting, replayed }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Followed, void, void> {
    for await (const batch of this.batches()) yield* batch
  }

  /** The same in the portions in which it comes. Ends early when the signal aborts, and when the agents here are closed. */
  async *batches(signal?: AbortSignal): AsyncGenerator<readonly Followed[], void, void> {
    const { session, after, place } = await this.#start
    const reading = new TurnReading(place)
    for await (const batch of this.#everything(session, String(after), signal)) {
      const end = batch.findIndex((item) => item.type === 'event' && reading.add(item.event))
      yield end < 0 ? batch : batch.slice(0, end + 1)
      if (end >= 0) return
    }
  }

  /** What is written until the agents here are closed is all that they had to say. */
  async *#everything(
    session: UnseenSession,
    after: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<readonly Followed[], void, void> {
    let cursor = after
    const until = signal ? AbortSignal.any([signal, this.#closed]) : this.#closed
    for await (const batch of session.followBatches({ after, signal: until })) {
      yield batch
      cursor = batch.at(-1)?.cursor ?? cursor
    }
    for (let more = !signal?.aborted; more; ) {
      const page = await session.events({ after: decodeCursor(cursor).seq })
      const rest = page.events.map((event) => new FollowedEvent(event.seq, event.type, JSON.stringify(event)))
      if (rest.length > 0) yield rest
      cursor = rest.at(-1)?.cursor ?? cursor
      more = page.more
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
    let isOver = false
    for await (const batch of this.batches(signal))
      for (const item of batch) if (item.type === 'event') isOver ||= reading.add(item.event)
    signal?.throwIfAborted()
    if (!isOver && this.#closed.aborted) return { ...reading.result, reason: 'shutdown' }
    return output ? withObject(reading.result, output) : reading.result
  }
}

function withObject(result: TurnResult, output: Schema): TurnResult {
  if (result.outcome !== 'completed') return result
  const object = structured(output, result.text)
  return 'value' in object ? { ...result, object: object.value as Json } : result
}
