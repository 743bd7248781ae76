/** A thread that imports files for another one. It has the same store open, and gets a file at a time in each lane. */
import type { MessagePort, Worker } from 'node:worker_threads'
import type { Holdfast } from '@holdfast/core'
import { type ErrorCode, errorCatalogue, HoldfastError, isHoldfastError } from '@holdfast/protocol'
import type { Written } from './destination-options.ts'
import type { FoundFile } from './discover.ts'
import { type FileOutcome, type FileProgress, type FileTerms, importOne } from './import-file.ts'
import type { PriceOf } from './price.ts'

type Asked =
  | { ask: 'import'; job: number; file: FoundFile; terms: Omit<FileTerms, 'price' | 'signal'> }
  | { ask: 'stop' }
  | { ask: 'end' }

/** `read`: bytes of the source; this and what was written are those since it was told last. */
type Told = { job: number; read: number; written: Written } & (
  | { tell: 'progress' }
  | { tell: 'done'; outcome: FileOutcome; details?: HoldfastError['details'] }
)

/** A person cannot read it faster, and each message costs both threads as much as a small file. */
const tellEveryMs = 50

interface Job {
  progress: FileProgress
  done(outcome: FileOutcome): void
  fail(error: unknown): void
}

/** As the thread that has the work sees it. */
export class Helper {
  readonly #worker: Worker
  readonly #jobs = new Map<number, Job>()
  readonly #ended: Promise<void>
  #lastJob = 0
  #failure: unknown

  constructor(worker: Worker, signal: AbortSignal | undefined) {
    this.#worker = worker
    worker.on('message', (told: Told) => this.#hear(told))
    worker.on('error', (error) => this.#fail(error))
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    void this.#ended.then(() => this.#fail(new Error('a thread of the import has ended')))
    signal?.addEventListener('abort', () => this.#ask({ ask: 'stop' }), { once: true })
  }

  /** Rejects when the thread is gone. The prices are those of the thread. */
  importOne(file: FoundFile, terms: FileTerms, progress: FileProgress): Promise<FileOutcome> {
    const { price: _price, signal: _signal, ...plain } = terms
    this.#lastJob += 1
    const job = this.#lastJob
    return new Promise((done, fail) => {
      if (this.#failure !== undefined) return fail(this.#failure)
      this.#jobs.set(job, { progress, done, fail })
      this.#ask({ ask: 'import', job, file, terms: plain })
    })
  }

  /** Resolves when the thread has closed its store. */
  async end(): Promise<void> {
    this.#ask({ ask: 'end' })
    await this.#ended
  }

  #ask(asked: Asked): void {
    this.#worker.postMessage(asked)
  }

  #hear(told: Told): void {
    const job = this.#jobs.get(told.job)
    job?.progress.read(told.read)
    if (told.written.events > 0) job?.progress.written(told.written)
    if (told.tell === 'done') {
      this.#jobs.delete(told.job)
      job?.done(withError(told.outcome, told.details))
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    for (const { fail } of this.#jobs.values()) fail(this.#failure)
    this.#jobs.clear()
  }
}

/** In the thread that helps: imports what is asked for, and resolves when nothing more will be. */
export async function helpImport(
  holdfast: Holdfast,
  port: MessagePort,
  { price }: { price?: PriceOf } = {},
): Promise<void> {
  const stop = new AbortController()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const tell = (told: Told) => port.postMessage(told)
  let toldAtMs = 0
  const work = async (job: number, file: FoundFile, terms: FileTerms) => {
    const progress = new Untold()
    const outcome = await importOne(holdfast, file, terms, {
      read: (bytes) => progress.addRead(bytes),
      written: (written) => {
        progress.addWritten(written)
        const nowMs = performance.now()
        if (nowMs - toldAtMs < tellEveryMs) return
        toldAtMs = nowMs
        tell({ job, tell: 'progress', ...progress.take() })
      },
    })
    tell({ job, tell: 'done', ...progress.take(), ...withoutError(outcome) })
  }
  port.on('message', (asked: Asked) => {
    if (asked.ask === 'end') end()
    else if (asked.ask === 'stop') stop.abort()
    else void work(asked.job, asked.file, { ...asked.terms, ...(price && { price }), signal: stop.signal })
  })
  await ended
  port.close()
}

/** What happened to a file since it was told last. */
class Untold {
  #read = 0
  #written: Written = { events: 0, messages: 0 }

  addRead(bytes: number): void {
    this.#read += bytes
  }

  addWritten({ events, messages }: Written): void {
    this.#written = { events: this.#written.events + events, messages: this.#written.messages + messages }
  }

  take(): Pick<Told, 'read' | 'written'> {
    const taken = { read: this.#read, written: this.#written }
    this.#read = 0
    this.#written = { events: 0, messages: 0 }
    return taken
  }
}

/** An error loses its class on the way between threads, so only what it says goes over. */
function withoutError(outcome: FileOutcome): { outcome: FileOutcome; details?: HoldfastError['details'] } {
  const { report, failed } = outcome
  const plain = { ...outcome, report: { ...report } }
  if (!failed) return { outcome: plain }
  const details = isHoldfastError(failed.cause) ? { details: failed.cause.details } : {}
  return { outcome: { ...plain, failed: { ...failed, cause: undefined } }, ...details }
}

function withError(outcome: FileOutcome, details: HoldfastError['details'] = {}): FileOutcome {
  const { failed } = outcome
  if (!failed) return outcome
  const { code, message } = failed
  const isOurs = Object.hasOwn(errorCatalogue, code)
  const cause = isOurs
    ? new HoldfastError(code as ErrorCode, message, { details })
    : Object.assign(new Error(message), { code })
  return { ...outcome, failed: { ...failed, cause } }
}
