/**
 * JSON that is still to come, as the answer to who waits for it. White space, which JSON allows before a value, keeps the
 * connection open through whatever closes silent ones.
 */
import { isHoldfastError } from '@holdfast/protocol'
import type { Follower, Followers } from './followers.ts'
import type { Sending, Sink } from './sink.ts'

const utf8 = new TextEncoder()
const space = utf8.encode(' ')

export class AwaitedJson implements Follower, Sending {
  readonly endsConnection = false
  readonly waitingSinceMs = undefined
  readonly #followers: Followers
  readonly #make: (left: AbortSignal) => Promise<unknown>
  readonly #left = new AbortController()
  #sink: Sink | undefined

  /** `make` hears when nobody waits any more. */
  constructor(followers: Followers, make: (left: AbortSignal) => Promise<unknown>) {
    this.#followers = followers
    this.#make = make
  }

  /** What fails breaks off: nobody takes it for an answer. */
  async sendTo(sink: Sink): Promise<void> {
    this.#sink = sink
    this.#followers.add(this)
    try {
      const json = utf8.encode(JSON.stringify(await this.#make(this.#left.signal)))
      void sink.write(json)
      sink.end()
    } catch (error) {
      if (this.#left.signal.aborted) return
      sink.breakOff()
      if (!isHoldfastError(error)) throw error
    } finally {
      this.#over()
    }
  }

  readable(): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (body) => {
        const write = (chunk: Uint8Array): undefined => void body.enqueue(chunk)
        const breakOff = (): void => body.error(new Error('the answer broke off'))
        void this.sendTo({ write, release: () => {}, end: () => body.close(), breakOff })
      },
      cancel: () => this.leave(),
    })
  }

  leave(): void {
    this.#over()
    this.#left.abort()
  }

  beat(): void {
    void this.#sink?.write(space)
  }

  /** What it is about ends with the agents of the server, after all streams. */
  drain(): void {}

  /** It is never waited for: what it sends before its end is a few bytes. */
  stall(): void {}

  #over(): void {
    this.#sink = undefined
    this.#followers.remove(this)
  }
}
