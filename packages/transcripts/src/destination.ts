/** Where readers put sessions: one tenant of an open Holdfast. */
import type { RestoreInput } from '@holdfast/core'
import { HoldfastError, isHoldfastError } from '@holdfast/protocol'
import { DeletedSession } from './deleted-session.ts'
import type { DestinationOptions } from './destination-options.ts'
import type { ImportPlace } from './import-place.ts'
import { ImportedSession, type NewSession } from './imported-session.ts'
import type { BrokenLine, LossReport } from './loss-report.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { sessionIdOf } from './session-id.ts'

/** What an import did with one session. */
export interface ImportedSummary {
  sessionId: string
  /** Made by this import. */
  isNew: boolean
  /** Events written now; 0 when the source had nothing new. */
  events: number
}

/** What the metadata of a session says of its source. */
export type SourceName = { format: string; sourceId: string; begin?: string }

export class Destination {
  readonly report: LossReport
  readonly sessions: ImportedSummary[] = []
  readonly #options: DestinationOptions
  #refused: HoldfastError | undefined

  constructor(options: DestinationOptions) {
    this.#options = options
    this.report = options.report
  }

  sessionIdOf(format: string, sourceId: string): string {
    return sessionIdOf(this.#options.holdfast.tenantId, format, sourceId)
  }

  /**
   * A file's name may be that of another conversation, imported before. A session that noted how it began keeps the name to
   * itself; what begins otherwise is named by its beginning too. Where a beginning is not known, the name alone decides.
   */
  async named(format: string, name: string, begin: string | undefined): Promise<SourceName> {
    if (begin === undefined) return { format, sourceId: name }
    const apart = `${name}#${begin.slice(0, 16)}`
    if (await this.has(this.sessionIdOf(format, apart))) return { format, sourceId: apart, begin }
    const known = await this.#options.holdfast.sessions.get(this.sessionIdOf(format, name))
    const noted = (known?.metadata?.source as Partial<SourceName> | undefined)?.begin
    return { format, sourceId: noted === undefined || noted === begin ? name : apart, begin }
  }

  /** Files of this process that lead to the same session come one after the other. Must not be called within itself. */
  alone<T>(sessionId: string, work: () => Promise<T>): Promise<T> {
    return turnsIn(this.#options.holdfast).run(sessionId, work)
  }

  /**
   * For what is read below a parent: files of this process that are below the same one come one after the other, so that few of
   * its children are open at once. `alone` may be called within.
   */
  aloneBelow<T>(parentId: string, work: () => Promise<T>): Promise<T> {
    return turnsIn(this.#options.holdfast).run(`below ${parentId}`, work)
  }

  /** The source is no longer what was imported: nothing of it was added. The first of them makes the file a failed one. */
  refuse(line: BrokenLine): void {
    this.report.breakLine(line)
    this.#refused ??= new HoldfastError('id_taken', `${line.file}:${line.line} ${line.reason}`)
  }

  get refused(): HoldfastError | undefined {
    return this.#refused
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
    const restored = holdfast.sessions.restore(sessionId, input)
    const written = await restored.catch((error) => this.#tellDeleted(error, sessionId))
    const { changed, firstSeq = 0, lastSeq = 0 } = written
    if (!changed) return 0
    const events = lastSeq - firstSeq + 1
    const added = input.events.slice(-events)
    const messages = added.filter((text) => /"type":"(message\.appended|tool\.finished)"/.test(text)).length
    onWritten({ events, messages })
    return events
  }

  async #tellDeleted(error: unknown, sessionId: string): Promise<never> {
    const isDeleted = isHoldfastError(error, 'id_taken') && !(await this.has(sessionId))
    throw isDeleted ? new DeletedSession(sessionId, error) : error
  }

  restored(sessionId: string, isNew: boolean, events: number): void {
    this.sessions.push({ sessionId, isNew, events })
  }

  /** The session was read to its end. */
  done({ id, isNew, events }: ImportedSession): void {
    this.sessions.push({ sessionId: id, isNew, events })
  }
}

const turns = new WeakMap<ImportPlace, OneAtATime>()

function turnsIn(holdfast: ImportPlace): OneAtATime {
  const known = turns.get(holdfast) ?? new OneAtATime()
  turns.set(holdfast, known)
  return known
}
