/** Where readers put sessions: one tenant of an open Holdfast. */
import type { RestoreInput } from '@holdfast/core'
import type { DestinationOptions } from './destination-options.ts'
import { ImportedSession, type NewSession } from './imported-session.ts'
import type { LossReport } from './loss-report.ts'
import { sessionIdOf } from './session-id.ts'

/** What an import did with one session. */
export interface ImportedSummary {
  sessionId: string
  /** Made by this import. */
  isNew: boolean
  /** Events written now; 0 when the source had nothing new. */
  events: number
}

export class Destination {
  readonly report: LossReport
  readonly sessions: ImportedSummary[] = []
  readonly #options: DestinationOptions

  constructor(options: DestinationOptions) {
    this.#options = options
    this.report = options.report
  }

  sessionIdOf(format: string, sourceId: string): string {
    return sessionIdOf(this.#options.holdfast.tenantId, format, sourceId)
  }

  async has(sessionId: string): Promise<boolean> {
    return (await this.#options.holdfast.sessions.get(sessionId)) !== undefined
  }

  /** Undefined when there is none. An ended session takes nothing more: `session_closed`, for nothing is left out in silence. */
  open(sessionId: string): Promise<ImportedSession | undefined> {
    return ImportedSession.open(sessionId, this.#options)
  }

  create(input: NewSession, at: string | undefined): Promise<ImportedSession> {
    return ImportedSession.create(input, at, this.#options)
  }

  async openOrCreate(input: NewSession, at: string | undefined): Promise<ImportedSession> {
    return (await this.open(input.id)) ?? (await this.create(input, at))
  }

  /** Events of a session of our own, as they are; gives how many were not here yet. */
  async restore(sessionId: string, input: RestoreInput): Promise<number> {
    const { holdfast, signal, onWritten } = this.#options
    signal?.throwIfAborted()
    const { changed, firstSeq = 0, lastSeq = 0 } = await holdfast.sessions.restore(sessionId, input)
    if (!changed) return 0
    const events = lastSeq - firstSeq + 1
    const added = input.events.slice(-events)
    const messages = added.filter((text) => /"type":"(message\.appended|tool\.finished)"/.test(text)).length
    onWritten({ events, messages })
    return events
  }

  restored(sessionId: string, isNew: boolean, events: number): void {
    this.sessions.push({ sessionId, isNew, events })
  }

  /** The session was read to its end. */
  done({ id, isNew, events }: ImportedSession): void {
    this.sessions.push({ sessionId: id, isNew, events })
  }
}
