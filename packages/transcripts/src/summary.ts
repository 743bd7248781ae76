/** What an import did, and how far it is. */
import type { ImportedSummary } from './destination.ts'
import type { LossReport } from './loss-report.ts'

export interface ImportProgress {
  /** Files that are done, unchanged ones among them. */
  files: number
  filesTotal: number
  /** Bytes of sources that were read or passed over. */
  bytes: number
  bytesTotal: number
  /** Sessions that were read to their end. */
  sessions: number
  /** Messages and tool results written. */
  messages: number
}

/** A file that could not be imported, or not to its end, and why; the others were. */
export interface FailedFile {
  path: string
  /** Code of a `HoldfastError` or of the system, as `invalid_input` or `EACCES`. */
  code: string
  message: string
  cause: unknown
}

export interface ImportSummary extends ImportProgress {
  /** Files that were as an earlier import had left them: they were not read. */
  filesUnchanged: number
  newSessions: number
  events: number
  /** Sessions of the files that were read, in the order in which they were done. */
  imported: readonly ImportedSummary[]
  /** By path. */
  failed: readonly FailedFile[]
  /** Files that lay in a folder and are something else than a transcript; one that was asked for by its name is in `failed`. By path. */
  passedOver: readonly FailedFile[]
  /** Secrets that were found, by kind; with `redactSecrets` they were left out. */
  secrets: ReadonlyMap<string, number>
  /** The signal was aborted: what is committed stays, and the next import goes on from there. */
  stopped: boolean
  report: LossReport
}
