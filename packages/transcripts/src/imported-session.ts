/** Puts what a reader made into a session of the engine, and remembers in the session how far its source was read. */
import type { ActiveSession, CreatedSession, FileReference, HostCommand, NewFile } from '@holdfast/core'
import {
  type CompactionRecord,
  type CreateInput,
  type EventData,
  HoldfastError,
  isHoldfastError,
  isKnown,
  type JsonObject,
  type SessionEvent,
} from '@holdfast/protocol'
import type { Batch, Compaction, CoveredStretch, Step } from './batch.ts'
import { DeletedSession } from './deleted-session.ts'
import type { DestinationOptions, Tally } from './destination-options.ts'
import { eventsAround } from './events-around.ts'
import { fit } from './fit.ts'

/** Kind of the note that holds the position. */
export const positionKind = 'import.position'

export interface NewSession extends CreateInput {
  id: string
}

type OpenSession = CreatedSession | ActiveSession

export class ImportedSession {
  readonly id: string
  /** Where an earlier import stands in the source; undefined for none. */
  readonly position: JsonObject | undefined
  /** Nobody else said anything in it since that position. */
  readonly isAsLeft: boolean
  readonly #session: OpenSession
  readonly #options: DestinationOptions
  readonly #tally: Tally
  /** Where the session stands when only this import writes to it: whoever else does moves its version. */
  #stand: Stand
  #lastAt: string | undefined
  #cutAfter: number | undefined

  private constructor(
    session: OpenSession,
    { stand, position, at, isAsLeft }: Reached,
    isNew: boolean,
    options: DestinationOptions,
  ) {
    this.id = session.id
    this.position = position
    this.isAsLeft = isAsLeft
    this.#session = session
    this.#stand = stand
    this.#lastAt = at
    this.#options = options
    this.#tally = options.tallies?.get(this.id) ?? { isNew: false, events: 0, toolCalls: 0 }
    this.#tally.isNew ||= isNew
    options.tallies?.set(this.id, this.#tally)
  }

  /** Made by this import. */
  get isNew(): boolean {
    return this.#tally.isNew
  }

  get events(): number {
    return this.#tally.events
  }

  get toolCalls(): number {
    return this.#tally.toolCalls
  }

  static async open(sessionId: string, options: DestinationOptions): Promise<ImportedSession | undefined> {
    const session = await openSession(sessionId, options)
    return session && new ImportedSession(session, await reachedIn(session), false, options)
  }

  static async create(
    input: NewSession,
    at: string | undefined,
    options: DestinationOptions,
  ): Promise<ImportedSession> {
    options.signal?.throwIfAborted()
    const session = await options.holdfast.sessions
      .create(input, timed(at))
      .catch((error) => madeMeanwhile(error, input.id, options))
    return new ImportedSession(session, await reachedIn(session), !session.replayed, options)
  }

  /**
   * In the conversation of its parent, which tells of it first; after a crash between the two the next import finishes what was
   * begun.
   */
  async createChild(
    input: NewSession,
    callId: string | undefined,
    at: string | undefined,
  ): Promise<ImportedSession> {
    this.#options.signal?.throwIfAborted()
    const { id: childId, ...child } = input
    const call = callId === undefined ? {} : { callId }
    const conversationId = child.conversationId ?? (await this.#session.view()).conversationId
    const { seq } = await this.#session
      .spawnChild({ childId, ...call, ...child, conversationId }, { actor: { kind: 'import' }, ...timed(at) })
      .catch((error) => madeMeanwhile(error, childId, this.#options))
    if (seq === this.#stand.seq + 1) this.#stand = { seq, version: seq }
    const session = await openKnown(childId, this.#options)
    const reached = await reachedIn(session)
    return new ImportedSession(session, reached, reached.position === undefined, this.#options)
  }

  /** A session that goes on from a place of this one, where it stood as `data` says. */
  async fork(id: string, { seq, data }: Kept, at?: string): Promise<ImportedSession> {
    this.#options.signal?.throwIfAborted()
    const session = await this.#session
      .fork({ id }, { atSeq: seq, actor: { kind: 'import' }, ...timed(at) })
      .catch((error) => madeMeanwhile(error, id, this.#options))
    if (session.replayed) throw overtaken(id)
    return new ImportedSession(
      session,
      { stand: await standOf(session), position: data, at: undefined, isAsLeft: true },
      true,
      this.#options,
    )
  }

  /**
   * Tells what a child has done and spent, once: telling it again changes nothing. A session that another one had spawned, or
   * nobody, stays as it is.
   */
  async finishChild(child: ImportedSession): Promise<void> {
    this.#options.signal?.throwIfAborted()
    const { parentSessionId, counters } = await child.#session.view()
    if (parentSessionId !== this.id) return
    const { promptTokens, completionTokens, costMicrocents } = counters
    const spent = { tokens: promptTokens + completionTokens, costMicrocents, toolCalls: child.toolCalls }
    const command: HostCommand = { type: 'finishChild', childId: child.id, outcome: 'completed', spent }
    const { changed, lastSeq = 0 } = await this.#session.batch([command], {
      actor: { kind: 'import' },
      at: [this.#lastAt],
    })
    if (!changed) return
    if (lastSeq === this.#stand.seq + 1) this.#stand = { seq: lastSeq, version: lastSeq }
    this.#tally.events += 1
    this.#options.onWritten({ events: 1, messages: 0 })
  }

  /** Of the first messages that are visible. */
  async firstIds(): Promise<ReadonlySet<string>> {
    const { messages } = await this.#session.messages({ after: '0', limit: 20 })
    return new Set(messages.map(({ id }) => id))
  }

  async isFork(): Promise<boolean> {
    return (await this.#session.view()).forkedFrom !== undefined
  }

  /** What it holds of about that time. */
  eventsAround(at: string): AsyncGenerator<SessionEvent> {
    return eventsAround(this.#session, at)
  }

  /** Bytes that messages name by their hash. */
  async putAttachment(file: NewFile, at: string | undefined): Promise<FileReference> {
    this.#options.signal?.throwIfAborted()
    const reference = await this.#session
      .putAttachment(file, { actor: { kind: 'import' }, ...timed(at), expectedVersion: this.#stand.version })
      .catch((error) => tellOvertaken(error, this.id))
    const seq = this.#stand.seq + 1
    this.#stand = { seq, version: seq }
    return reference
  }

  /**
   * The newest position on the visible path that passes; without one, the session's very beginning. `pass` hears of all that
   * does not.
   */
  async positionBefore(
    passes: (data: JsonObject) => boolean,
    pass: (event: SessionEvent) => void = () => {},
  ): Promise<Kept> {
    for await (const event of newestFirst(this.#session, keptBehind)) {
      const data = positionIn(event)
      if (data && passes(data)) return { seq: event.seq, data }
      pass(event)
    }
    return { seq: 1, data: undefined }
  }

  /** The next write begins with a cut of what came after `seq`; both are one commit. */
  cutAfter(seq: number): void {
    this.#cutAfter = seq
  }

  /** As one commit; a compaction is one of its own, after those before it. */
  async write(batches: readonly Batch[]): Promise<void> {
    const steps: Step[] = []
    if (this.#cutAfter !== undefined)
      steps.push({ command: { type: 'truncate', seq: this.#cutAfter }, at: undefined })
    this.#cutAfter = undefined
    for (const batch of batches) {
      steps.push(...batch.steps)
      const note = positionSteps(batch)
      if (batch.compaction) await this.#compact(batch.compaction, steps.splice(0), note)
      else steps.push(...note)
    }
    await this.#batch(steps)
  }

  /** A shape that the engine refuses is kept as a note. */
  async #compact(compaction: Compaction, steps: readonly Step[], note: readonly Step[]): Promise<void> {
    await this.#batch(steps)
    const { id, summary, trigger, tokensBefore, at, stretch } = compaction
    const { report } = this.#options
    const apply = (covered: Covered) => this.#applyCompaction(compaction, covered, note)
    const part = stretch && (await this.#coveredBy(stretch))
    if (part && (await apply(part))) return
    if (await apply(await this.#coveredByAll())) {
      if (stretch) report.repair('summaries that cover what was kept beside them too')
      return
    }
    report.keep('compaction without room')
    const kept = { id, summary, trigger, ...(tokensBefore !== undefined && { tokensBefore }) }
    await this.#batch([{ command: { type: 'addNote', kind: 'import.compaction', data: kept }, at }, ...note])
  }

  /** False: the engine does not take it. */
  async #applyCompaction(
    { id, summary, trigger, tokensBefore, at }: Compaction,
    covered: Covered,
    note: readonly Step[],
  ): Promise<boolean> {
    const tokensAfter = Math.ceil(Buffer.byteLength(summary) / 4)
    const figures = { tokensBefore: tokensBefore ?? tokensAfter + 1, tokensAfter }
    const record = { compactionId: id, trigger, ...covered, ...figures }
    const command = (pathSeq: number): HostCommand => {
      return { type: 'applyCompaction', record, pathSeq, summary, summaryTokens: tokensAfter }
    }
    const apply = (pathSeq: number) => this.#batch([{ command: command(pathSeq), at }, ...note])
    try {
      await apply(0).catch((error) => retryOnPath(error, apply))
      return true
    } catch (error) {
      if (isHoldfastError(error, 'invalid_compaction') || isHoldfastError(error, 'limit_exceeded'))
        return false
      throw error
    }
  }

  async #coveredByAll(): Promise<Covered> {
    const { seq, counters } = await this.#session.view()
    return { from: 1, to: seq, messagesCovered: counters.messageCount }
  }

  /**
   * Undefined: the messages that it is between are not near. A message that was imported before, on another branch, has its id
   * there alone: what comes after that place is read again, so the stretch ends before it.
   */
  async #coveredBy({ first, next }: CoveredStretch): Promise<Covered | undefined> {
    const { seq, counters } = await this.#session.view()
    let to = next === undefined ? seq : undefined
    let [behind, inside, looked] = [0, 0, 0]
    for await (const { event, visibleThrough } of withVisibility(this.#session)) {
      if (looked++ === mostLooked) return undefined
      const isVisible = event.seq <= visibleThrough
      const id = isKnown(event, 'message.appended') ? event.data.messageId : undefined
      if (isVisible && (event.type === 'message.appended' || event.type === 'tool.finished')) {
        if (to === undefined) behind += 1
        else inside += 1
      }
      if (id !== undefined && id === next) to = Math.min(event.seq - 1, visibleThrough)
      if (to === undefined || to < 1) continue
      if (first === undefined) return { from: 1, to, messagesCovered: counters.messageCount - behind }
      if (id === first) return isVisible ? { from: event.seq, to, messagesCovered: inside } : undefined
    }
    return undefined
  }

  async #batch(steps: readonly Step[]): Promise<void> {
    if (steps.length === 0) return
    this.#options.signal?.throwIfAborted()
    this.#lastAt = steps.findLast((step) => step.at !== undefined)?.at ?? this.#lastAt
    const commands = steps.map((step) => this.#ready(step))
    const receipt = await this.#session
      .batch(commands, {
        actor: { kind: 'import' },
        at: steps.map(({ at }) => at),
        expectedVersion: this.#stand.version,
      })
      .catch((error) => tellOvertaken(error, this.id))
    this.#tally.toolCalls += commands.reduce((sum, command) => sum + callsIn(command), 0)
    if (!receipt.changed) return
    const { firstSeq = 0, lastSeq = 0, version = this.#stand.version } = receipt
    this.#stand = { seq: lastSeq, version }
    const events = lastSeq - firstSeq + 1
    this.#tally.events += events
    this.#options.onWritten({ events, messages: commands.filter(isMessage).length })
  }

  #ready(step: Step): HostCommand {
    const { at, unpriced } = step
    const command = fit(step, this.#options.report)
    if (command.type !== 'recordUsage' || unpriced || command.usage.costSource !== 'unknown') return command
    return { ...command, usage: this.#options.price(command.usage, at) }
  }
}

/** Events before a summary among which the messages around its stretch are looked for. */
const mostLooked = 5_000

/** A place in a session, and where its source was read then. */
export interface Kept {
  seq: number
  data: JsonObject | undefined
}

interface Stand {
  seq: number
  version: number
}

/** How far an earlier import came, and where the session stood when that was looked up. */
interface Reached {
  stand: Stand
  position: JsonObject | undefined
  /** Of what was read there. */
  at: string | undefined
  isAsLeft: boolean
}

/** The stretch of a compaction's record. */
type Covered = Pick<CompactionRecord, 'from' | 'to' | 'messagesCovered'>

async function openSession(
  sessionId: string,
  { holdfast }: DestinationOptions,
): Promise<OpenSession | undefined> {
  return (await holdfast.sessions.get(sessionId)) && openKnown(sessionId, { holdfast })
}

async function openKnown(
  sessionId: string,
  { holdfast }: Pick<DestinationOptions, 'holdfast'>,
): Promise<OpenSession> {
  const session = await holdfast.sessions.open(sessionId)
  if (session.lifecycle === 'created' || session.lifecycle === 'active') return session
  throw new HoldfastError('session_closed', `imported session ${sessionId} has ended; fork it to continue`)
}

/** The path was cut since the session began; the refusal names where. */
function retryOnPath(error: unknown, apply: (pathSeq: number) => Promise<void>): Promise<void> {
  if (!isHoldfastError(error, 'path_changed')) throw error
  return apply(Number(error.details.pathSeq))
}

function positionSteps({ steps, position }: Batch): Step[] {
  if (!position) return []
  return [{ command: { type: 'addNote', kind: positionKind, data: position }, at: steps.at(-1)?.at }]
}

function timed(at: string | undefined): { at?: string } {
  return at === undefined ? {} : { at }
}

function isMessage({ type }: HostCommand): boolean {
  return type === 'append' || type === 'finishTool'
}

function callsIn(command: HostCommand): number {
  return command.type === 'append'
    ? command.message.parts.filter(({ type }) => type === 'tool_call').length
    : 0
}

/** The version first: what is written between the two then refuses the next write. */
async function reachedIn(session: OpenSession): Promise<Reached> {
  const stand = await standOf(session)
  const isMade = stand.seq === 1
  const beginning = { position: undefined, at: undefined, isAsLeft: true }
  return { stand, ...(isMade ? beginning : await readPosition(session)) }
}

async function standOf(session: OpenSession): Promise<Reached['stand']> {
  const { seq, version } = await session.view()
  return { seq, version }
}

/** It was not there when it was looked for. */
async function madeMeanwhile(error: unknown, sessionId: string, options: DestinationOptions): Promise<never> {
  if (!isHoldfastError(error, 'id_taken')) throw error
  throw (await options.holdfast.sessions.get(sessionId))
    ? overtaken(sessionId, error)
    : new DeletedSession(sessionId, error)
}

function tellOvertaken(error: unknown, sessionId: string): never {
  if (isHoldfastError(error, 'version_conflict')) throw overtaken(sessionId, error)
  throw error
}

function overtaken(sessionId: string, cause?: unknown): HoldfastError {
  const message = `session ${sessionId} was written to by another while it was imported; import again when that has ended`
  return new HoldfastError('contention', message, { cause })
}

/** What stands in the conversation, or was done in it. A server says that all was written by who has its key. */
const isSaid = /^(message|tool|input|run|round|question|compaction)\./

/** The newest position note is near the end: only what was written after the last import follows it. */
async function readPosition(session: OpenSession): Promise<Omit<Reached, 'stand'>> {
  let isAsLeft = true
  for await (const event of newestFirst(session)) {
    const position = positionIn(event)
    if (position) return { position, at: event.at, isAsLeft }
    if (isSaid.test(event.type) && event.actor.kind !== 'import') isAsLeft = false
  }
  return { position: undefined, at: undefined, isAsLeft }
}

function positionIn(event: SessionEvent): JsonObject | undefined {
  const isPosition = isKnown(event, 'note.added') && event.data.kind === positionKind
  return isPosition ? (event.data.data as JsonObject) : undefined
}

/** Every event, newest first, with the seq through which those up to it are visible. */
async function* withVisibility(
  session: OpenSession,
): AsyncGenerator<{ event: SessionEvent; visibleThrough: number }> {
  let visibleThrough = Number.POSITIVE_INFINITY
  for await (const event of newestFirst(session)) {
    yield { event, visibleThrough }
    if (event.seq <= visibleThrough && isCut(event)) visibleThrough = keptBehind(event)
  }
}

/** `behind`: where reading goes on after an event. */
async function* newestFirst(session: OpenSession, behind = justBehind): AsyncGenerator<SessionEvent> {
  let through = Number.MAX_SAFE_INTEGER
  for (;;) {
    const { events, more } = await session.events({ direction: 'backward', limit: 100, through })
    for (const event of events) {
      if (event.seq > through) continue
      yield event
      through = behind(event)
    }
    if (!more || events.length === 0) return
  }
}

function justBehind({ seq }: SessionEvent): number {
  return seq - 1
}

/** On the visible path: what was cut is not read, however much it is. */
function keptBehind(event: SessionEvent): number {
  return isCut(event) ? event.data.keepThrough : justBehind(event)
}

function isCut(
  event: SessionEvent,
): event is SessionEvent & { data: EventData<'message.truncated' | 'message.edited'> } {
  return isKnown(event, 'message.truncated') || isKnown(event, 'message.edited')
}
