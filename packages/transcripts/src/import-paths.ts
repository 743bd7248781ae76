/** Imports files and folders: several files at once, so that their commits are written together. */
import type { ImportedSummary } from './destination.ts'
import { discover, type FoundFile } from './discover.ts'
import { Helper } from './helper.ts'
import { type FileOutcome, type FileProgress, type FileTerms, importOne, isFatal } from './import-file.ts'
import type { ImportOptions } from './import-options.ts'
import { wavesOf } from './import-order.ts'
import type { ImportPlace } from './import-place.ts'
import { isKnown } from './known-file.ts'
import { LossReport } from './loss-report.ts'
import { Room } from './room.ts'
import type { FailedFile, ImportProgress, ImportSummary } from './summary.ts'

/** Small files are read beside each other, so that they share the waits for the disk; large ones alone, for the memory. */
const bytesAtOnce = 2 * 1024 * 1024

/** Source bytes that may be remembered for a second reading, of all files that one thread reads at once. */
const remembered = 32 * 1024 * 1024

/** Less is soon read: a thread takes a while to start. */
const worthThreads = 16 * 1024 * 1024

/** One file, with the files that belong to it. Throws what went wrong with it; what was committed stays. */
export async function importFile(
  holdfast: ImportPlace,
  path: string,
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const summary = await importPaths(holdfast, [path], options)
  const [failed] = summary.failed
  if (failed) throw failed.cause
  return summary
}

/**
 * Files and folders. A file that cannot be read is told of in `failed`, and the others are imported. Importing again
 * writes only what is new; a file that has the size and time it had is not read.
 */
export async function importPaths(
  holdfast: ImportPlace,
  paths: readonly string[],
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const { files, failed } = await discover(paths)
  const work = new Import(holdfast, options, files, failed)
  await work.run()
  return work.summary()
}

type ImportOne = (file: FoundFile, terms: FileTerms, progress: FileProgress) => Promise<FileOutcome>

class Import {
  readonly #holdfast: ImportPlace
  readonly #options: ImportOptions
  #waiting: FoundFile[]
  readonly #failed: FailedFile[]
  readonly #passedOver: FailedFile[] = []
  readonly #secrets = new Map<string, number>()
  readonly #report = new LossReport()
  readonly #imported: ImportedSummary[] = []
  readonly #progress: ImportProgress
  #unchanged = 0
  #events = 0
  #fatal: unknown

  constructor(holdfast: ImportPlace, options: ImportOptions, files: FoundFile[], failed: FailedFile[]) {
    this.#holdfast = holdfast
    this.#options = options
    this.#waiting = [...files].reverse()
    this.#failed = failed
    const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#progress = { files: 0, filesTotal: files.length, bytes: 0, bytesTotal, sessions: 0, messages: 0 }
  }

  async run(): Promise<void> {
    await this.#passOverKnown()
    const { threads } = this.#options
    const bytes = this.#waiting.reduce((sum, file) => sum + file.bytes, 0)
    if (threads && bytes >= Math.max(1, threads.least ?? worthThreads)) await this.#runIn(threads)
    else if (this.#waiting.length > 0) await this.#runHere()
    if (this.#fatal !== undefined) throw this.#fatal
  }

  async #passOverKnown(): Promise<void> {
    const fresh: FoundFile[] = []
    for (const file of this.#waiting) {
      if (!(await isKnown(this.#holdfast, file))) fresh.push(file)
      else {
        this.#unchanged += 1
        this.#progress.files += 1
        this.#progress.bytes += file.bytes
        this.#tell()
      }
    }
    this.#waiting = fresh
  }

  async #runHere(): Promise<void> {
    const price = await this.#options.prices?.()
    await this.#runWaves([(...work) => importOne(this.#holdfast, ...work)], { ...(price && { price }) })
  }

  async #runIn({ count, start }: NonNullable<ImportOptions['threads']>): Promise<void> {
    if (this.#isStopped) return
    const starting = Array.from(
      { length: count },
      async () => new Helper(await start(), this.#options.signal),
    )
    try {
      const helpers = await Promise.all(starting)
      await this.#runWaves(
        helpers.map(
          (helper) =>
            (...work) =>
              helper.importOne(...work),
        ),
      )
    } finally {
      const started = await Promise.allSettled(starting)
      await Promise.all(started.map((helper) => helper.status === 'fulfilled' && helper.value.end()))
    }
  }

  async #runWaves(readers: readonly ImportOne[], own: Pick<FileTerms, 'price'> = {}): Promise<void> {
    for (const wave of await wavesOf(this.#waiting, this.#options.signal)) {
      this.#waiting = wave
      await Promise.all(readers.map((importOne) => this.#runLanes(importOne, own)))
    }
  }

  async #runLanes(importOne: ImportOne, own: Pick<FileTerms, 'price'>): Promise<void> {
    const { concurrency = 16, format, redactSecrets, signal } = this.#options
    const lanes = Math.max(1, concurrency)
    const room = new Room(bytesAtOnce)
    const terms: FileTerms = {
      ...own,
      remember: Math.min(bytesAtOnce, remembered / lanes),
      ...(format !== undefined && { format }),
      ...(redactSecrets && { redactSecrets }),
      ...(signal && { signal }),
    }
    await Promise.all(Array.from({ length: lanes }, () => this.#runLane(importOne, terms, room)))
  }

  async #runLane(importOne: ImportOne, terms: FileTerms, room: Room): Promise<void> {
    for (let file = this.#next(); file; file = this.#next()) {
      const leave = await room.enter(file.bytes)
      try {
        this.#take(file, await importOne(file, terms, this.#fileProgress))
      } finally {
        leave()
      }
    }
  }

  #next(): FoundFile | undefined {
    return this.#isStopped || this.#fatal !== undefined ? undefined : this.#waiting.pop()
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  readonly #fileProgress: FileProgress = {
    read: (bytes) => {
      this.#progress.bytes += bytes
    },
    written: ({ events, messages }) => {
      this.#events += events
      this.#progress.messages += messages
      this.#tell()
    },
  }

  #take(file: FoundFile, outcome: FileOutcome): void {
    const { status, sessions, report, secrets, failed } = outcome
    this.#report.add(report)
    this.#imported.push(...sessions)
    this.#progress.sessions += sessions.length
    for (const [kind, found] of secrets) this.#secrets.set(kind, (this.#secrets.get(kind) ?? 0) + found)
    if (status === 'stopped') return
    if (status === 'passed_over') this.#progress.bytes += file.bytes
    if (isFatal(outcome)) this.#fatal = failed?.cause
    else if (failed) (status === 'failed' ? this.#failed : this.#passedOver).push(failed)
    this.#progress.files += 1
    this.#tell()
  }

  #tell(): void {
    this.#options.onProgress?.({ ...this.#progress })
  }

  summary(): ImportSummary {
    return {
      ...this.#progress,
      filesUnchanged: this.#unchanged,
      newSessions: this.#imported.filter(({ isNew }) => isNew).length,
      events: this.#events,
      imported: this.#imported,
      failed: byPath(this.#failed),
      passedOver: byPath(this.#passedOver),
      secrets: this.#secrets,
      stopped: this.#isStopped,
      report: this.#report,
    }
  }
}

/** In the order in which they were done, which is another one each time, nobody could compare them. */
function byPath(files: readonly FailedFile[]): FailedFile[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}
