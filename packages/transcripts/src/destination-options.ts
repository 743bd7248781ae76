/** What the sessions of one destination share. */
import type { ImportPlace } from './import-place.ts'
import type { LossReport } from './loss-report.ts'
import type { PriceOf } from './price.ts'

export interface DestinationOptions {
  holdfast: ImportPlace
  report: LossReport
  price: PriceOf
  /** Aborted: no further commit is begun. */
  signal: AbortSignal | undefined
  /** Told of what each commit wrote. */
  onWritten(written: Written): void
}

export interface Written {
  events: number
  messages: number
}
