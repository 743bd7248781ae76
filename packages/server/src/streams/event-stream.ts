/**
 * A session's events as server-sent events. The reader pulls: what it does not take is not made, so it may stand still or be
 * arbitrarily far behind and holds no more than `serverLimits.streamBytes` and one event of its own.
 */
import type { Followed } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import { problemOf, typed } from '../http/problem.ts'
import { serverLimits } from '../limits.ts'
import type { Follower, Followers } from './followers.ts'
import { errorFrame, type Frames, heartbeat } from './frames.ts'

export interface Streaming {
  /** Begins to follow. */
  follow(signal: AbortSignal): AsyncGenerator<readonly Followed[], void, void>
  /** Whether an item is sent; all are unless the reader chose. */
  isWanted(item: Followed): boolean
  frames: Frames
  followers: Followers
  requestId: string
}

export function eventStream(streaming: Streaming): ReadableStream<Uint8Array> {
  return new ReadableStream(new EventStream(streaming), { highWaterMark: 0 })
}

class EventStream implements Follower {
  readonly #streaming: Streaming
  readonly #ended = new AbortController()
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  #batches: AsyncGenerator<readonly Followed[], void, void> | undefined
  #batch: readonly Followed[] = []
  #next = 0
  /** The reader waits for something to be sent. */
  #isAwaited = false
  #isDraining = false

  constructor(streaming: Streaming) {
    this.#streaming = streaming
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#controller = controller
    try {
      await this.#send(controller)
    } catch (error) {
      this.#fail(controller, typed(error))
    }
  }

  cancel(): void {
    this.#ended.abort()
    this.#leave()
  }

  beat(): void {
    if (this.#isAwaited) this.#controller?.enqueue(heartbeat)
  }

  drain(): void {
    this.#isDraining = true
    this.#ended.abort()
  }

  async #send(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#batches ??= this.#begin()
    while (!this.#isDraining) {
      const chunk = this.#chunk()
      if (chunk) {
        controller.enqueue(chunk)
        return
      }
      this.#isAwaited = true
      const { value, done } = await this.#batches.next()
      this.#isAwaited = false
      if (done) break
      this.#batch = value
      this.#next = 0
    }
    if (this.#isDraining) throw new HoldfastError('server_draining', 'the server is stopping; connect again.')
  }

  #begin(): AsyncGenerator<readonly Followed[], void, void> {
    const { followers, follow } = this.#streaming
    followers.add(this)
    return follow(this.#ended.signal)
  }

  /** The next frames of the batch, up to the reader's share of memory; undefined when there are none left. */
  #chunk(): Uint8Array | undefined {
    const frames: Uint8Array[] = []
    let size = 0
    while (this.#next < this.#batch.length && size < serverLimits.streamBytes) {
      const item = this.#batch[this.#next++]
      if (!item || !this.#streaming.isWanted(item)) continue
      const frame = this.#streaming.frames.of(item)
      frames.push(frame)
      size += frame.byteLength
    }
    return frames.length > 1 ? joined(frames, size) : frames[0]
  }

  #fail(controller: ReadableStreamDefaultController<Uint8Array>, error: HoldfastError): void {
    this.#isAwaited = false
    this.#leave()
    if (this.#ended.signal.aborted && !this.#isDraining) return
    controller.enqueue(errorFrame(problemOf(error, this.#streaming.requestId)))
    controller.close()
  }

  #leave(): void {
    this.#streaming.followers.remove(this)
  }
}

function joined(frames: readonly Uint8Array[], size: number): Uint8Array {
  const chunk = new Uint8Array(size)
  let at = 0
  for (const frame of frames) {
    chunk.set(frame, at)
    at += frame.byteLength
  }
  return chunk
}
