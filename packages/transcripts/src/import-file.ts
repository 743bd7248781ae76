/** One file of an import, with the files that belong to it: from its bytes to what became of them. */
import { isHoldfastError } from '@holdfast/protocol'
import { Destination, type ImportedSummary } from './destination.ts'
import type { Written } from './destination-options.ts'
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
  /** `stopped`: what was committed stays. */
  status: 'read' | 'stopped' | 'failed'
  sessions: readonly ImportedSummary[]
  report: LossCounts
  secrets: ReadonlyMap<string, number>
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
export async function importOne(
  holdfast: ImportPlace,
  file: FoundFile,
  terms: FileTerms,
  progress: FileProgress,
): Promise<FileOutcome> {
  const secrets = new SecretFinder({ redact: terms.redactSecrets ?? false })
  const report = new LossReport()
  const { price = asItIs, signal } = terms
  const into = new Destination({ holdfast, report, price, signal, onWritten: progress.written })
  const outcome = { report, secrets: secrets.counts, sessions: into.sessions }
  try {
    const source = await Source.open(file.path, {
      secrets,
      remember: terms.remember,
      onRead: progress.read,
    })
    try {
      const format = terms.format === undefined ? await formatOf(source) : formatNamed(terms.format)
      await format.read(source, into)
      await noteImported(holdfast, file, format.name)
    } finally {
      await source.close()
    }
    return { status: 'read', ...outcome }
  } catch (error) {
    if (signal?.aborted) return { status: 'stopped', ...outcome }
    return { status: 'failed', ...outcome, failed: failedFile(file.path, error) }
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
