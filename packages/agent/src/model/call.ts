/** One attempt at a model call: the stream is read to its end, its text handed on as it comes. */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { CutOff } from './failure.ts'
import type { Delta, Reply } from './reply.ts'

export interface CallListener {
  /** May throw: the attempt then ends with it. */
  onDelta(delta: Delta): void
}

/** How long a stream may stay silent. */
const silenceMs = 5 * 60_000

/** Adds to `reply`, which keeps what came when this throws. */
export async function callModel(
  model: LanguageModelV4,
  options: LanguageModelV4CallOptions,
  reply: Reply,
  { onDelta }: CallListener,
): Promise<void> {
  const silence = new Silence(options.abortSignal)
  try {
    const { stream } = await silence.heard(model.doStream({ ...options, abortSignal: silence.signal }))
    const reader = stream.getReader()
    try {
      for (;;) {
        const { done, value } = await silence.heard(reader.read())
        if (done) break
        take(value, reply, onDelta)
      }
    } finally {
      void reader.cancel().then(undefined, () => undefined)
    }
  } finally {
    silence.end()
  }
  if (reply.finish === undefined) throw new CutOff('the stream of the model ended before its answer did')
  if (reply.finish.unified === 'interrupted') throw new CutOff('the provider ended its stream early')
}

function take(part: LanguageModelV4StreamPart, reply: Reply, onDelta: CallListener['onDelta']): void {
  if (part.type === 'error') throw part.error
  const delta = reply.add(part)
  if (delta && delta.text !== '') onDelta(delta)
}

/** Aborts a call that says nothing for too long, and stops waiting for one that does not heed its signal. */
class Silence {
  readonly #outer: AbortSignal | undefined
  readonly #own = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #aborted: Promise<never>
  #fail!: (reason: unknown) => void

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer
    this.#aborted = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.#aborted.catch((reason: unknown) => reason)
    this.#timer = setTimeout(
      () => this.#own.abort(new CutOff(`the model was silent for ${silenceMs} ms`)),
      silenceMs,
    )
    this.#timer.unref()
    this.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (outer?.aborted) this.#onOuter()
    else outer?.addEventListener('abort', this.#onOuter)
  }

  /** Aborts with the outer one too. One signal made of two takes several times as long to make. */
  get signal(): AbortSignal {
    return this.#own.signal
  }

  async heard<T>(work: PromiseLike<T>): Promise<T> {
    const result = await Promise.race([work, this.#aborted])
    this.#timer.refresh()
    return result
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#outer?.removeEventListener('abort', this.#onOuter)
  }

  readonly #onOuter = (): void => this.#own.abort(this.#outer?.reason)
  readonly #onAbort = (): void => this.#fail(this.signal.reason)
}
