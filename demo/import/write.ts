/** Puts what a reader made into a session of the engine, and remembers in the session how far its source was read. */
import type { ActiveSession, CreatedSession, Holdfast, HostCommand } from '@holdfast/core'
import {
  type Counters,
  type CreateInput,
  HoldfastError,
  isKnown,
  type JsonObject,
  type SessionEvent,
} from '@holdfast/protocol'
import type { Batch, Step } from './batch.ts'

/** Kind of the note that holds the position. The engine keeps the newest one at hand. */
const positionKind = 'import.position'

export interface NewSession extends CreateInput {
  id: string
}

export class ImportedSession {
  readonly id: string
  /** Where an earlier import stands in the source; undefined for none. */
  readonly position: JsonObject | undefined
  readonly #session: CreatedSession | ActiveSession
  /** Events that this import wrote, the creation not counted. */
  events = 0
  /** Tool calls among them. */
  toolCalls = 0
  #lastAt: string | undefined
  #cutAfter: number | undefined

  private constructor(session: CreatedSession | ActiveSession, position: JsonObject | undefined) {
    this.id = session.id
    this.#session = session
    this.position = position
  }

  /** Undefined when there is none. An ended session takes nothing more: that is an error, for nothing is left out in silence. */
  static async open(holdfast: Holdfast, sessionId: string): Promise<ImportedSession | undefined> {
    if ((await holdfast.sessions.get(sessionId)) === undefined) return undefined
    const session = await holdfast.sessions.open(sessionId)
    if (session.lifecycle === 'closed' || session.lifecycle === 'expired') {
      throw new HoldfastError(
        'session_closed',
        `imported session ${sessionId} has ended; fork it to continue`,
      )
    }
    return new ImportedSession(session, await readPosition(session))
  }

  static async create(
    holdfast: Holdfast,
    input: NewSession,
    at: string | undefined,
  ): Promise<ImportedSession> {
    const session = await holdfast.sessions.create(input, at === undefined ? {} : { at })
    return new ImportedSession(session, undefined)
  }

  /** The parent tells of it first; after a crash between the two the next import finishes what was begun. */
  async createChild(
    holdfast: Holdfast,
    input: NewSession,
    callId: string | undefined,
    at: string | undefined,
  ): Promise<ImportedSession> {
    const { id: childId, ...child } = input
    const call = callId === undefined ? {} : { callId }
    await this.#session.spawnChild({ childId, ...call, ...child }, at === undefined ? {} : { at })
    const created = await ImportedSession.open(holdfast, childId)
    if (!created) throw new Error(`child ${childId} was made and is not there`)
    return created
  }

  async counters(): Promise<Counters> {
    return (await this.#session.view()).counters
  }

  /** The newest position on the visible path that passes; without one, the session's very beginning. */
  async positionBefore(
    passes: (data: JsonObject) => boolean,
  ): Promise<{ seq: number; data: JsonObject | undefined }> {
    let visibleThrough = Number.POSITIVE_INFINITY
    for await (const event of newestFirst(this.#session)) {
      if (event.seq > visibleThrough) continue
      if (isKnown(event, 'message.truncated') || isKnown(event, 'message.edited'))
        visibleThrough = event.data.keepThrough
      const data = positionIn(event)
      if (data && passes(data)) return { seq: event.seq, data }
    }
    return { seq: 1, data: undefined }
  }

  /** The next write begins with a cut of what came after `seq`; both are one commit. */
  cutAfter(seq: number): void {
    this.#cutAfter = seq
  }

  async write({ steps, position }: Batch): Promise<void> {
    const cut: Step[] =
      this.#cutAfter === undefined
        ? []
        : [{ command: { type: 'truncate', seq: this.#cutAfter }, at: undefined }]
    this.#cutAfter = undefined
    const note: Step[] = position
      ? [{ command: { type: 'addNote', kind: positionKind, data: position }, at: steps.at(-1)?.at }]
      : []
    await this.#batch([...cut, ...steps, ...note])
  }

  /** For a command that changes nothing when it is given again. */
  async repeat(command: HostCommand): Promise<void> {
    await this.#batch([{ command, at: this.#lastAt }])
  }

  async #batch(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return
    this.#lastAt = steps.findLast((step) => step.at !== undefined)?.at ?? this.#lastAt
    this.toolCalls += steps.reduce((sum, { command }) => sum + callsIn(command), 0)
    const receipt = await this.#session.batch(
      steps.map(({ command }) => command),
      { actor: { kind: 'import' }, at: steps.map(({ at }) => at) },
    )
    if (receipt.changed) this.events += (receipt.lastSeq ?? 0) - (receipt.firstSeq ?? 0) + 1
  }
}

function callsIn(command: HostCommand): number {
  return command.type === 'append'
    ? command.message.parts.filter(({ type }) => type === 'tool_call').length
    : 0
}

/** The newest position note is near the end: only what was written after the last import follows it. */
async function readPosition(session: CreatedSession | ActiveSession): Promise<JsonObject | undefined> {
  for await (const event of newestFirst(session)) {
    const data = positionIn(event)
    if (data) return data
  }
  return undefined
}

function positionIn(event: SessionEvent): JsonObject | undefined {
  const isPosition = isKnown(event, 'note.added') && event.data.kind === positionKind
  return isPosition ? (event.data.data as JsonObject) : undefined
}

async function* newestFirst(session: CreatedSession | ActiveSession): AsyncGenerator<SessionEvent> {
  let through = Number.MAX_SAFE_INTEGER
  for (;;) {
    const { events, more } = await session.events({ direction: 'backward', limit: 100, through })
    yield* events
    const oldest = events.at(-1)
    if (!more || !oldest) return
    through = oldest.seq - 1
  }
}
