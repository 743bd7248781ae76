/** One file of an import, with the files that belong to it: from its bytes to what became of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { isHoldfastError } from '@holdfast/protocol'
import { DeletedSession, deletedSessions } from './deleted-session.ts'
import { Destination, type ImportedSummary } from './destination.ts'
import type { Tally, Written } from './destination-options.ts'
import { type FoundFile, failedFile } from './discover.ts'
import { formatNamed, formatOf } from './formats.ts'
import type { ImportOptions } from './import-options.ts'
import type { ImportPlace } from './import-place.ts'
import { noteImported } from './known-file.ts'
import { type LossCounts, LossReport } from './loss-report.ts'
import type { PriceOf } from './price.ts'
import { SecretFinder } from './secrets.ts'
import { Source } from './source.ts'
import type { FailedFile } from './summary.ts'

/** What became of a file. Plain data, for it may come from another thread. */
export interface FileOutcome {
  /** `passed_over`: it lay in a folder and is something else than a transcript. `stopped`: what was committed stays. */
  status: 'read' | 'passed_over' | 'stopped' | 'failed'
  sessions: readonly ImportedSummary[]
  report: LossCounts
  secrets: ReadonlyMap<string, number>
  /** Of a file that failed, and of one that was passed over. */
  failed?: FailedFile
}

/** Told while a file is read. */
export interface FileProgress {
  read(bytes: number): void
  written(written: Written): void
}

export interface FileTerms extends Pick<ImportOptions, 'format' | 'redactSecrets' | 'signal'> {
  price?: PriceOf
  /** Bytes of its lines that may be kept for a second reading. */
  remember: number
}

/** Never rejects: what went wrong is in the outcome. */
export function importOne(
  holdfast: ImportPlace,
  file: FoundFile,
  terms: FileTerms,
  progress: FileProgress,
): Promise<FileOutcome> {
  return new FileImport(holdfast, file, terms, progress).run()
}

/** Who was first goes on meanwhile. Beyond these it is left alone with the session: half a minute in all. */
const pausesMs = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800]

class FileImport {
  readonly #holdfast: ImportPlace
  readonly #file: FoundFile
  readonly #terms: FileTerms
  readonly #progress: FileProgress
  readonly #secrets: SecretFinder
  readonly #report = new LossReport()
  readonly #tallies = new Map<string, Tally>()
  #bytesTold = 0

  constructor(holdfast: ImportPlace, file: FoundFile, terms: FileTerms, progress: FileProgress) {
    this.#holdfast = holdfast
    this.#file = file
    this.#terms = terms
    this.#progress = progress
    this.#secrets = new SecretFinder({ redact: terms.redactSecrets ?? false })
  }

  /** When another import came between, once more from where the sessions stand then. */
  async run(): Promise<FileOutcome> {
    for (const pauseMs of pausesMs) {
      const outcome = await this.#attempt()
      if (!isHoldfastError(outcome.failed?.cause, 'contention')) return outcome
      await pause(pauseMs, undefined, { signal: this.#terms.signal }).catch(ofAbort)
    }
    return this.#attempt()
  }

  async #attempt(): Promise<FileOutcome> {
    const { price = asItIs, signal } = this.#terms
    const [holdfast, report, tallies] = [this.#holdfast, this.#report, this.#tallies]
    const onWritten = this.#progress.written
    const into = new Destination({ holdfast, report, price, signal, tallies, onWritten })
    const outcome = { report, secrets: this.#secrets.counts, sessions: into.sessions }
    const failedBy = (error: unknown) => ({
      status: this.#isPassedOver(error) ? ('passed_over' as const) : ('failed' as const),
      ...outcome,
      failed: failedFile(this.#file.path, error),
    })
    try {
      const format = await this.#read(into)
      if (into.refused) return failedBy(into.refused)
      await noteImported(holdfast, this.#file, format)
      return { status: 'read', ...outcome }
    } catch (error) {
      return signal?.aborted ? { status: 'stopped', ...outcome } : failedBy(error)
    }
  }

  #isPassedOver(error: unknown): boolean {
    return (
      !this.#file.isNamed && isHoldfastError(error, 'invalid_input') && error.details.isSomethingElse === true
    )
  }

  /** The name of its format. */
  async #read(into: Destination): Promise<string> {
    const { remember, format: named } = this.#terms
    const onRead = this.#tellOnce()
    const source = await Source.open(this.#file.path, { secrets: this.#secrets, remember, onRead })
    try {
      const format = named === undefined ? await formatOf(source) : formatNamed(named)
      await format.read(source, into).catch((error) => this.#leaveDeleted(error))
      return format.name
    } finally {
      await source.close()
    }
  }

  #leaveDeleted(error: unknown): void {
    if (!(error instanceof DeletedSession)) throw error
    this.#report.drop(deletedSessions)
  }

  /** Bytes that an earlier attempt read are told of already. */
  #tellOnce(): (bytes: number) => void {
    let read = 0
    return (bytes) => {
      read += bytes
      if (read <= this.#bytesTold) return
      this.#progress.read(read - this.#bytesTold)
      this.#bytesTold = read
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
  'unauthenticated',
  'forbidden',
  'server_draining',
  'server_unreachable',
]

export function isFatal({ failed }: FileOutcome): boolean {
  return isHoldfastError(failed?.cause) && fatal.includes(failed.cause.code)
}

const asItIs: PriceOf = (usage) => usage

/** The next attempt ends at once. */
function ofAbort(error: Error): void {
  if (error.name !== 'AbortError') throw error
}
