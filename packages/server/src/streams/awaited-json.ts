/**
 * JSON that is still to come, as the answer to who waits for it. White space, which JSON allows before a value, keeps the
 * connection open through whatever closes silent ones.
 */
import type { Follower, Followers } from './followers.ts'

const utf8 = new TextEncoder()
const space = utf8.encode(' ')

export class AwaitedJson implements Follower {
  readonly waitingSinceMs = undefined
  readonly #followers: Followers
  readonly #left = new AbortController()
  #body: ReadableStreamDefaultController<Uint8Array> | undefined

  constructor(followers: Followers) {
    this.#followers = followers
  }

  /** `make` hears when nobody waits any more. The body breaks off when it fails: then nobody takes it for an answer. */
  readable(make: (left: AbortSignal) => Promise<unknown>): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (body) => {
        this.#body = body
        this.#followers.add(this)
        void this.#send(body, make)
      },
      cancel: () => this.#left.abort(),
    })
  }

  beat(): void {
    this.#body?.enqueue(space)
  }

  /** It is waited for: what it is about comes to rest before the server stops. */
  drain(): void {}

  async #send(
    body: ReadableStreamDefaultController<Uint8Array>,
    make: (left: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    try {
      const json = utf8.encode(JSON.stringify(await make(this.#left.signal)))
      this.#followers.remove(this)
      body.enqueue(json)
      body.close()
    } catch (error) {
      this.#followers.remove(this)
      if (!this.#left.signal.aborted) body.error(error)
    }
  }
}
