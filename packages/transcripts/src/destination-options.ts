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
  /** What was done with each session, by its id; all attempts at a file share it. Absent: there is one attempt. */
  tallies?: Map<string, Tally>
  /** Told of what each commit wrote. */
  onWritten(written: Written): void
}

export interface Tally {
  isNew: boolean
  /** Events that this import wrote, the creation not counted. */
  events: number
  /** Tool calls among them. */
  toolCalls: number
}

export interface Written {
  events: number
  messages: number
}
