/** One writer thread as the store's own thread sees it, from its start to its end: calls go in, answers come back. */
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '@holdfast/protocol'
import type { Call, Told, Work } from './messages.ts'
import { unpackError } from './pack-errors.ts'
import type { WriterData } from './thread.ts'

/** By its name, for a bundle has it at another place than the sources. */
const threadFile = new URL(import.meta.resolve('#writer-thread'))

/** Told as it happens; each at most once, but for foreign writes and syncs. */
export interface Listener {
  opened(): void
  foreignWrite(): void
  synced(tookMs: number): void
  /** The thread is gone and with it its connection; every call is answered. */
  ended(): void
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: unknown): void
}

export class Writer {
  readonly #worker: Worker
  readonly #listener: Listener
  readonly #waiting = new Map<number, Waiting>()
  readonly #ended: Promise<void>
  #calls = 0
  #isOpen = false
  #hasEnded = false
  #trouble: unknown

  constructor(data: WriterData, listener: Listener) {
    this.#listener = listener
    // Without the options of this process: some of them are about its own first file, and refuse another.
    this.#worker = new Worker(threadFile, { workerData: data, execArgv: [] })
    this.#worker.on('message', (told: Told) => this.#hear(told))
    this.#worker.on('error', (error) => {
      this.#trouble ??= error
    })
    this.#worker.on('messageerror', (error) => {
      this.#trouble ??= error
      void this.#worker.terminate()
    })
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => resolve(this.#end()))
    })
  }

  /** Resolves when it has opened the database; rejects with the reason why not. To be asked at once, or not at all. */
  opened(): Promise<void> {
    return this.#answerTo(0) as Promise<void>
  }

  /** May be called before it is open. What is `handedOver` is moved and not copied. */
  call<K extends keyof Work>(
    nowMs: number,
    work: K,
    args: Parameters<Work[K]>,
    handedOver: readonly ArrayBuffer[] = [],
  ): ReturnType<Work[K]> {
    this.#calls += 1
    const call: Call<K> = { id: this.#calls, nowMs, work, args }
    this.#worker.postMessage(call, handedOver)
    return this.#answerTo(this.#calls) as ReturnType<Work[K]>
  }

  /** Resolves when what it was asked for is done and its connection closed, or when it died: every call was told then. */
  async close(nowMs: number): Promise<void> {
    try {
      await this.call(nowMs, 'close', [])
    } catch (error) {
      if (!this.#hasEnded) throw error
    } finally {
      this.#worker.ref()
      await this.#ended
    }
  }

  /** While an answer is waited for the process stays alive; an idle thread does not keep it. */
  #answerTo(id: number): Promise<unknown> {
    if (this.#waiting.size === 0) this.#worker.ref()
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker.unref()
    return waiting
  }

  #hear(told: Told): void {
    switch (told.told) {
      case 'opened':
        this.#isOpen = true
        this.#take(0)?.resolve(undefined)
        this.#listener.opened()
        break
      case 'not opened':
        this.#trouble = unpackError(told.error)
        break
      case 'foreign write':
        this.#listener.foreignWrite()
        break
      case 'done':
        for (const tookMs of told.syncsMs) this.#listener.synced(tookMs)
        this.#take(told.id)?.resolve(told.result)
        break
      case 'failed':
        this.#take(told.id)?.reject(unpackError(told.error))
        break
    }
  }

  #end(): void {
    this.#hasEnded = true
    const error = this.#ending()
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    this.#listener.ended()
  }

  /** What is true of a call that was never answered. */
  #ending(): HoldfastError {
    const cause = this.#trouble
    if (this.#isOpen) {
      const message =
        'The writer thread ended during the call; send the same write again to learn its outcome.'
      return new HoldfastError('commit_unknown', message, { cause })
    }
    if (cause instanceof HoldfastError) return cause
    const message = 'The writer thread ended before it had opened the database; nothing was written.'
    return new HoldfastError('store_unavailable', message, { cause })
  }
}
