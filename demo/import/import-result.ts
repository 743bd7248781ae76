/** What an import did, session by session, and what it could not carry over. */
import { LossReport } from './loss-report.ts'

export interface ImportedSummary {
  sessionId: string
  /** Made by this import. */
  isNew: boolean
  /** Events written now; 0 when the source had nothing new. */
  events: number
}

export class ImportResult {
  readonly sessions: ImportedSummary[] = []
  readonly report = new LossReport()

  get newSessions(): number {
    return this.sessions.filter(({ isNew }) => isNew).length
  }

  get events(): number {
    return this.sessions.reduce((sum, { events }) => sum + events, 0)
  }

  add(other: ImportResult): void {
    this.sessions.push(...other.sessions)
    this.report.add(other.report)
  }
}
