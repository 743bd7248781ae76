/**
 * A session's events as server-sent events. The next frames are made when the reader took the last ones, so it may stand
 * still or be arbitrarily far behind and holds no more than `serverLimits.streamBytes` and one event of its own.
 */
import type { Followed } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import { problemOf, typed } from '../http/problem.ts'
import { serverLimits } from '../limits.ts'
import type { Follower, Followers } from './followers.ts'
import { errorFrame, type Frames, heartbeat } from './frames.ts'
import type { Sending, Sink } from './sink.ts'

type Batches = AsyncIterableIterator<readonly Followed[], void, void>

export interface Streaming {
  /** Begins to follow. */
  follow(signal: AbortSignal): Batches
  /** Whether an item is sent; all are unless the reader chose. */
  isWanted(item: Followed): boolean
  frames: Frames
  followers: Followers
  requestId: string
}

export class EventStream implements Follower, Sending {
  readonly endsConnection = true
  readonly #streaming: Streaming
  readonly #ended = new AbortController()
  #sink: Sink | undefined
  #batch: readonly Followed[] = []
  #next = 0
  /** The reader took everything, and waits. */
  #isAwaited = false
  /** Why it is ended here; its reader is told. */
  #ending: HoldfastError | undefined
  /** Of the last frame that was made. */
  #cursor: string | undefined
  waitingSinceMs: number | undefined = undefined

  constructor(streaming: Streaming) {
    this.#streaming = streaming
  }

  /** Resolves when the stream is over. */
  async sendTo(sink: Sink): Promise<void> {
    this.#sink = sink
    this.#streaming.followers.add(this)
    const batches = this.#streaming.follow(this.#ended.signal)
    try {
      try {
        for (let isMore = true; isMore; ) isMore = await this.#sendNext(batches, sink)
      } finally {
        await batches.return?.()
      }
      if (this.#ending) throw this.#ending
      if (!this.#ended.signal.aborted) sink.end()
    } catch (error) {
      this.#fail(sink, typed(error))
    } finally {
      this.#streaming.followers.remove(this)
    }
  }

  /** The same for whoever pulls. */
  readable(): ReadableStream<Uint8Array> {
    let taken: (() => void) | undefined
    let begun = false
    return new ReadableStream(
      {
        pull: (controller) => {
          taken?.()
          if (begun) return
          begun = true
          const write = (chunk: Uint8Array): Promise<void> => {
            const pulled = new Promise<void>((resolve) => {
              taken = resolve
            })
            controller.enqueue(chunk)
            return pulled
          }
          const end = (): void => controller.close()
          void this.sendTo({ write, release: () => taken?.(), end, breakOff: end })
        },
        cancel: () => {
          taken?.()
          this.leave()
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** The reader has gone. */
  leave(): void {
    this.#ended.abort()
    this.#streaming.followers.remove(this)
  }

  beat(): void {
    if (this.#isAwaited) void this.#sink?.write(heartbeat)
  }

  drain(): void {
    this.#endFor(new HoldfastError('server_draining', 'the server is stopping; connect again.'))
  }

  stall(): void {
    const details = { ...(this.#cursor !== undefined && { cursor: this.#cursor }) }
    this.#endFor(
      new HoldfastError('reader_stalled', 'nothing was taken for too long; connect again.', { details }),
    )
  }

  #endFor(why: HoldfastError): void {
    this.#ending = why
    this.#ended.abort()
    this.#sink?.release()
  }

  /**
   * False: the stream is over. Thousands wait in here, for the next batch or for their reader, and none of them keeps a batch:
   * no variable holds it, and one that is all sent is let go before its reader took it.
   */
  async #sendNext(batches: Batches, sink: Sink): Promise<boolean> {
    this.#isAwaited = true
    if (!this.#receive(await batches.next())) return false
    for (let chunk = this.#chunk(); chunk && !this.#ended.signal.aborted; chunk = this.#chunk()) {
      const taken = sink.write(chunk)
      if (taken) await this.#untilTaken(taken)
    }
    this.#letGo()
    return !this.#ended.signal.aborted
  }

  #receive({ done, value }: IteratorResult<readonly Followed[], void>): boolean {
    this.#isAwaited = false
    this.#batch = value ?? []
    return !done
  }

  async #untilTaken(taken: Promise<void>): Promise<void> {
    this.waitingSinceMs = this.#streaming.followers.clock()
    await taken
    this.waitingSinceMs = undefined
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
      this.#cursor = item.cursor
      size += frame.byteLength
    }
    if (this.#next === this.#batch.length) this.#letGo()
    return frames.length > 1 ? joined(frames, size) : frames[0]
  }

  #letGo(): void {
    this.#batch = []
    this.#next = 0
  }

  #fail(sink: Sink, error: HoldfastError): void {
    this.#isAwaited = false
    if (this.#ended.signal.aborted && !this.#ending) return
    void sink.write(errorFrame(problemOf(error, this.#streaming.requestId)))
    sink.end()
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
