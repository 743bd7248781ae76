/** The writer thread as the main thread sees it: calls go there in order, answers come back. */
import { Worker } from 'node:worker_threads'
import type { Store } from '@holdfast/core'
import { HoldfastError } from '@holdfast/protocol'
import { type Asked, restored, restoredOutcomes, type Told, type Written } from './messages.ts'
import type { ThreadData } from './thread.ts'

const script = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url)

interface Waiting {
  call: Asked['call']
  resolve(value: unknown): void
  reject(error: Error): void
}

export class Writer {
  readonly #thread: Worker
  readonly #clock: () => number
  readonly #waiting = new Map<number, Waiting>()
  readonly #listeners = new Set<() => void>()
  #asked = 0
  #hasEnded = false
  #closing: Promise<unknown> | undefined

  private constructor(data: ThreadData, clock: () => number) {
    this.#thread = new Worker(script, { workerData: data })
    this.#clock = clock
    this.#thread.on('message', (told: Told) => this.#hear(told))
    this.#thread.on('exit', () => this.#lose())
  }

  /** Resolves when the thread has the file open; throws why it could not. */
  static async start(data: Omit<ThreadData, 'nowMs'>, clock: () => number): Promise<Writer> {
    const writer = new Writer({ ...data, nowMs: clock() }, clock)
    await new Promise<void>((resolve, reject) => {
      writer.#thread.once('message', () => resolve())
      writer.#thread.once('error', reject)
    })
    // Who waits for an answer is told by the end of the thread.
    writer.#thread.removeAllListeners('error').on('error', () => {})
    return writer
  }

  /** The store's own call, made there. */
  call<C extends Written>(call: C, ...args: Parameters<Store[C]>): ReturnType<Store[C]> {
    return this.#ask(call, args) as ReturnType<Store[C]>
  }

  async commit(...[commits]: Parameters<Store['commit']>): ReturnType<Store['commit']> {
    return restoredOutcomes((await this.#ask('commit', [commits])) as never)
  }

  onForeignWrite(listener: () => void): () => void {
    const added = (): void => listener()
    this.#listeners.add(added)
    return () => void this.#listeners.delete(added)
  }

  /** Idempotent. Later calls are refused. */
  async close(): Promise<void> {
    if (this.#hasEnded && !this.#closing) return
    this.#closing ??= this.#ask('close', [])
    await this.#closing
  }

  #ask(call: Asked['call'], args: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closing) return reject(closed())
      if (this.#hasEnded) return reject(lost(call, false))
      const id = ++this.#asked
      this.#waiting.set(id, { call, resolve, reject })
      this.#thread.postMessage({ id, nowMs: this.#clock(), call, args } satisfies Asked)
    })
  }

  #hear(told: Told): void {
    if (told.type === 'opened') return
    if (told.type === 'foreign write') {
      for (const listener of [...this.#listeners]) listener()
      return
    }
    const waiting = this.#waiting.get(told.id)
    this.#waiting.delete(told.id)
    if (told.type === 'done') waiting?.resolve(told.value)
    else waiting?.reject(restored(told.error))
  }

  /** Whether what was under way is on disk is read back from the log. */
  #lose(): void {
    this.#hasEnded = true
    for (const { call, reject } of this.#waiting.values()) reject(lost(call, true))
    this.#waiting.clear()
  }
}

function closed(): HoldfastError {
  return new HoldfastError('store_closed', 'This store was closed; open it again to use it.')
}

function lost(call: Asked['call'], isUnderWay: boolean): HoldfastError {
  if (call === 'commit' && isUnderWay)
    return new HoldfastError('commit_unknown', 'the writer thread ended before it answered.')
  return new HoldfastError('store_unavailable', 'the writer thread has ended; start the server again.')
}
