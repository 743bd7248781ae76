/** How an import is to be done. */
import type { Worker } from 'node:worker_threads'
import type { PriceOf } from './price.ts'
import type { ImportProgress } from './summary.ts'

export interface ImportOptions {
  /** Name of the format; absent: found by content. */
  format?: string
  /**
   * Prices for calls whose price the transcript does not tell, asked for once there is something to read here; threads have
   * their own. Absent: unknown stays unknown.
   */
  prices?(): Promise<PriceOf>
  /** Leaves out secrets of known shapes: what stands in their place says so. Absent: they are only counted. */
  redactSecrets?: boolean
  /** Told after each commit and each file. */
  onProgress?(progress: ImportProgress): void
  /** Aborted: stops between two commits; the summary says so. The next import goes on from there. */
  signal?: AbortSignal
  /** Files that each thread reads at once, 16 by default; fewer while they are large. */
  concurrency?: number
  /** Threads that do the work instead of this one, where there is much of it. */
  threads?: ImportThreads
}

export interface ImportThreads {
  /** How many, as the processor has cores; two write as fast as one file of SQLite takes it. */
  count: number
  /** Bytes of sources; for less no thread is started. 16 MiB by default. */
  least?: number
  /** Starts one, which opens the same store and calls `helpImport`. */
  start(): Worker | Promise<Worker>
}
