/** A turn of an agent that works in the server. It goes on whether or not anybody listens, here or at all. */
import { type TurnAccepted, TurnReading, type TurnResult } from '@holdfast/protocol'
import type { Followed } from './follow.ts'

type Follow = (after: string, signal: AbortSignal | undefined) => AsyncGenerator<Followed, void, void>

export class Turn implements AsyncIterable<Followed> {
  readonly #accepted: Promise<TurnAccepted>
  readonly #follow: Follow
  readonly #signal: AbortSignal | undefined
  #result: Promise<TurnResult> | undefined

  /** A refusal is told to who asks; that nobody does ends no process. */
  constructor(accepted: Promise<TurnAccepted>, follow: Follow, signal: AbortSignal | undefined) {
    accepted.catch(() => {})
    this.#accepted = accepted
    this.#follow = follow
    this.#signal = signal
  }

  /** Resolves when the input is durable. */
  accepted(): Promise<TurnAccepted> {
    return this.#accepted
  }

  /** All that happens until the run rests, through drops and restarts. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Followed, void, void> {
    yield* this.#read(new TurnReading(await this.#accepted))
  }

  /** What came of it; rejects with the signal's reason when that aborts first. */
  get result(): Promise<TurnResult> {
    this.#result ??= this.#gather()
    return this.#result
  }

  async #gather(): Promise<TurnResult> {
    const reading = new TurnReading(await this.#accepted)
    for await (const _ of this.#read(reading));
    this.#signal?.throwIfAborted()
    return reading.result
  }

  async *#read(reading: TurnReading): AsyncGenerator<Followed, void, void> {
    const { after } = await this.#accepted
    yield* untilRest(this.#follow(after, this.#signal), reading)
  }
}

export async function* untilRest(
  items: AsyncIterable<Followed>,
  reading: TurnReading,
): AsyncGenerator<Followed, void, void> {
  for await (const item of items) {
    yield item
    if (item.type === 'event' && reading.add(item.event)) return
  }
}
