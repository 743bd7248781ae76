/** Imports files and folders: several files at once, so that their commits are written together. */
import { createHash } from 'node:crypto'
import type { Holdfast } from '@holdfast/core'
import { isHoldfastError } from '@holdfast/protocol'
import { Destination, type ImportedSummary } from './destination.ts'
import { discover, type FoundFile, failedFile } from './discover.ts'
import { detectFormat, formatNamed } from './formats.ts'
import { LossReport } from './loss-report.ts'
import type { PriceOf } from './price.ts'
import { SecretFinder } from './secrets.ts'
import { Source } from './source.ts'
import type { FailedFile, ImportProgress, ImportSummary } from './summary.ts'

export interface ImportOptions {
  /** Name of the format; absent: found by content. */
  format?: string
  /** Prices calls whose price the transcript does not tell; absent: unknown stays unknown. */
  price?: PriceOf
  /** Leaves out secrets of known shapes: what stands in their place says so. Absent: they are only counted. */
  redactSecrets?: boolean
  /** Told after each commit and each file. */
  onProgress?(progress: ImportProgress): void
  /** Aborted: stops between two commits; the summary says so. The next import goes on from there. */
  signal?: AbortSignal
  /** Files that are read at once; 8 by default. */
  concurrency?: number
}

/** Source bytes that may be remembered for a second reading, of all files that are read at once. */
const remembered = 12 * 1024 * 1024

/** One file, with the files that belong to it. Throws what went wrong with it; what was committed stays. */
export async function importFile(
  holdfast: Holdfast,
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
  holdfast: Holdfast,
  paths: readonly string[],
  options: ImportOptions = {},
): Promise<ImportSummary> {
  const { files, failed } = await discover(paths)
  const work = new Import(holdfast, options, files, failed)
  await work.run()
  return work.summary()
}

class Import {
  readonly #holdfast: Holdfast
  readonly #options: ImportOptions
  readonly #waiting: FoundFile[]
  readonly #failed: FailedFile[]
  readonly #secrets: SecretFinder
  readonly #report = new LossReport()
  readonly #imported: ImportedSummary[] = []
  readonly #progress: ImportProgress
  #unchanged = 0
  #events = 0

  constructor(holdfast: Holdfast, options: ImportOptions, files: FoundFile[], failed: FailedFile[]) {
    this.#holdfast = holdfast
    this.#options = options
    this.#waiting = [...files].reverse()
    this.#failed = failed
    this.#secrets = new SecretFinder({ redact: options.redactSecrets ?? false })
    const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#progress = { files: 0, filesTotal: files.length, bytes: 0, bytesTotal, sessions: 0, messages: 0 }
  }

  async run(): Promise<void> {
    const lanes = Math.max(1, this.#options.concurrency ?? 8)
    await Promise.all(Array.from({ length: lanes }, () => this.#runLane(lanes)))
  }

  async #runLane(lanes: number): Promise<void> {
    for (let file = this.#next(); file; file = this.#next()) {
      try {
        await this.#importUnlessKnown(file, remembered / lanes)
      } catch (error) {
        if (this.#isStopped) return
        if (isHoldfastError(error) && fatal.includes(error.code)) throw error
        this.#failed.push(failedFile(file.path, error))
      }
      this.#progress.files += 1
      this.#tell()
    }
  }

  #next(): FoundFile | undefined {
    return this.#isStopped ? undefined : this.#waiting.pop()
  }

  get #isStopped(): boolean {
    return this.#options.signal?.aborted === true
  }

  async #importUnlessKnown(file: FoundFile, remember: number): Promise<void> {
    const id = createHash('sha256').update(file.path).digest('hex')
    const known = await this.#holdfast.importSources.get(id)
    if (known?.body.stamp === file.stamp) {
      this.#unchanged += 1
      this.#progress.bytes += file.bytes
      return
    }
    const format = await this.#import(file, remember)
    await this.#holdfast.importSources.put(id, { path: file.path, format, stamp: file.stamp })
  }

  async #import(file: FoundFile, remember: number): Promise<string> {
    const { format: named, price = asItIs, signal } = this.#options
    const format = named === undefined ? await detectFormat(file.path) : formatNamed(named)
    const into = new Destination({
      holdfast: this.#holdfast,
      report: new LossReport(),
      price,
      signal,
      onWritten: ({ events, messages }) => {
        this.#events += events
        this.#progress.messages += messages
        this.#tell()
      },
    })
    const onRead = (bytes: number) => {
      this.#progress.bytes += bytes
    }
    try {
      await format.read(await Source.open(file.path, { secrets: this.#secrets, remember, onRead }), into)
    } finally {
      this.#report.add(into.report)
      this.#imported.push(...into.sessions)
      this.#progress.sessions += into.sessions.length
    }
    return format.name
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
      failed: this.#failed,
      secrets: this.#secrets.counts,
      stopped: this.#isStopped,
      report: this.#report,
    }
  }
}

/** Not the fault of a file: every other one would fail in the same way. */
const fatal: readonly string[] = [
  'store_full',
  'store_unavailable',
  'store_closed',
  'store_corrupt',
  'store_unsupported',
  'commit_unknown',
]

const asItIs: PriceOf = (usage) => usage
