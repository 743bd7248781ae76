/** Reads a Codex rollout: one file, one session; that of a sub-agent is a child of the session that spawned it. */
import { basename } from 'node:path'
import { isTime, type Json, type JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import type { Destination, SourceName } from '../destination.ts'
import type { ImportedSession, Kept, NewSession } from '../imported-session.ts'
import { isUnchanged, lineAt, linePositionOf } from '../line-position.ts'
import { type LineFate, LossReport } from '../loss-report.ts'
import { beforeOpenTurn } from '../open-turn.ts'
import { type ItemContext, isPrompt, objectOf, readItem } from '../openai-responses/items.ts'
import { countOf, type From, type Line } from '../read-lines.ts'
import { shortFacts } from '../short-facts.ts'
import type { Source } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { asItems, cwdIn, isBareMeta, isState } from './bare.ts'
import { asFork, forkOf, positionIn } from './base.ts'
import { createBelow, openUnlessEnded } from './children.ts'
import { CopiedHistory } from './copied-history.ts'
import { baseOf, type Meta, nameOf, nicknameOf, parentThreadOf, readMeta, rolloutIn, textOf } from './meta.ts'
import { beginsTurn, taskBegins } from './prompts.ts'
import { begunAt, placeBefore, stretchesOf, turnsBackIn } from './rolled-back.ts'
import { ServiceTier } from './service-tier.ts'
import { nameGivenIn, titleIn } from './titles.ts'
import { TokenCounts } from './token-counts.ts'

export const formatName = 'codex'

export async function readCodex(source: Source, into: Destination): Promise<void> {
  const meta = await readMeta(source.lines())
  const thread = parentThreadOf(meta.payload)
  const parentId = thread === undefined ? undefined : into.sessionIdOf(formatName, thread)
  const read = () => readSession(source, meta, parentId, into)
  await (parentId === undefined ? read() : into.aloneBelow(parentId, read))
}

function readSession(
  source: Source,
  meta: Meta,
  parentId: string | undefined,
  into: Destination,
): Promise<void> {
  const thread = textOf(meta.payload.id)
  const name =
    thread === undefined ? basename(source.plainName, '.jsonl') : rolloutIn(source.plainName, thread, meta)
  return into.alone(into.sessionIdOf(formatName, name), async () => {
    const from = await into.named(formatName, name, thread === undefined ? meta.begin : undefined)
    const input = sessionOf(into, from, meta.payload)
    const parent = parentId === undefined ? undefined : await openUnlessEnded(parentId, into)
    const before = await beforeOf(meta, input.id, into)
    const session =
      (await into.open(input.id)) ?? (await create(input, meta, { parent, before }, name === thread, into))
    const rollout = (await session.isFork()) ? name : undefined
    await readInto({ source, session, before, meta, rollout, input }, into)
    await parent?.finishChild(session)
  })
}

/** The session of the file that this one goes on from. */
async function beforeOf(
  { payload }: Meta,
  id: string,
  into: Destination,
): Promise<ImportedSession | undefined> {
  const base = baseOf(payload)
  const beforeId = base && into.sessionIdOf(formatName, base.rollout)
  return beforeId === undefined || beforeId === id ? undefined : openUnlessEnded(beforeId, into)
}

interface Near {
  parent: ImportedSession | undefined
  before: ImportedSession | undefined
}

/** A sub-agent is a child first, also where it was given what its parent had heard. */
async function create(
  input: NewSession,
  meta: Meta,
  { parent, before }: Near,
  isFirst: boolean,
  into: Destination,
): Promise<ImportedSession> {
  const base = baseOf(meta.payload)
  const child = parent && isFirst ? await createBelow(parent, input, meta) : undefined
  const fork = !child && base && before ? await forkOf(base, before, input.id) : undefined
  return child ?? fork ?? into.create(input, meta.at)
}

interface Reading {
  source: Source
  session: ImportedSession
  before: ImportedSession | undefined
  meta: Meta
  /** The id of the file, where the session has the history of another one. */
  rollout: string | undefined
  input: NewSession
}

async function readInto(reading: Reading, into: Destination): Promise<void> {
  const { source, session, before, meta, rollout, input } = reading
  const known = positionIn(rollout, session.position)
  const position = linePositionOf(known)
  if (position && !(await isUnchanged(source, position))) {
    const reason = 'the file no longer has the line that was imported last; nothing was added'
    into.refuse({ file: source.name, line: position.line, reason })
  } else {
    const place = known && (await placeToGoOnFrom(reading))
    const from = place?.data
    const begun = await begunAt(session, place ?? { data: session.position, seq: newest })
    const seen = position?.line ?? 0
    const elsewhere = baseOf(meta.payload) && [before?.position?.totals, session.position?.totals]
    const reader = new RolloutReader(session, source.name, into.report, {
      from,
      begun,
      seen,
      meta,
      rollout,
      elsewhere,
    })
    let isTold = rollout === undefined || known !== undefined
    for await (const lines of stretchesOf(linesOf(reading, from))) {
      const turns = reader.turns(lines)
      await writeTurns(session, isTold ? turns : asFork(turns, input))
      isTold = true
    }
  }
  into.done(session)
}

/** Where a turn was open and goes on, it is cut off and read again. */
async function placeToGoOnFrom(reading: Reading): Promise<Kept> {
  const { session } = reading
  const kept = await beforeOpenTurn(session)
  if (!kept || !(await goesOn(linesOf(reading, session.position))))
    return { data: session.position, seq: newest }
  session.cutAfter(kept.seq)
  return kept
}

/** No place is behind it. */
const newest = Number.MAX_SAFE_INTEGER

/** There is more, and it does not begin with something new that a user says. */
async function goesOn(lines: AsyncIterable<Line>): Promise<boolean> {
  let hasMore = false
  for await (const { value } of lines) {
    const item = value?.type === 'response_item' ? objectOf(value.payload) : undefined
    if (item) return !isPrompt(item)
    hasMore ||= value !== undefined
  }
  return hasMore
}

function linesOf({ source, meta }: Reading, position: JsonObject | undefined): AsyncIterable<Line> {
  const lines = source.lines(placeOf(position))
  return meta.isBare && meta.at !== undefined ? asItems(lines, meta.at) : lines
}

function placeOf(data: JsonObject | undefined): From | undefined {
  const position = linePositionOf(data)
  return position && { byte: position.byte, line: position.line }
}

function sessionOf(into: Destination, source: SourceName, payload: JsonObject): NewSession {
  const { id, cwd, originator, cli_version, git, forked_from_id } = payload
  const parent_thread_id = parentThreadOf(payload)
  const agent_nickname = nicknameOf(payload)
  const thread_id = id === source.sourceId ? undefined : textOf(id)
  const history_base = baseOf(payload)?.rollout
  const names = { thread_id, history_base, forked_from_id, parent_thread_id, agent_nickname }
  const facts = { cwd, originator, cli_version, git, ...names }
  return {
    id: into.sessionIdOf(formatName, source.sourceId),
    agentId: formatName,
    channel: 'cli',
    modelPolicy: 'switchable',
    metadata: { source, ...shortFacts(facts) },
  }
}

interface Begin extends Pick<Reading, 'meta' | 'rollout'> {
  /** The position that is gone on from. */
  from: JsonObject | undefined
  /** Turns on the visible path there. */
  begun: number
  /** Lines up to this one were imported before. */
  seen: number
  /** Totals of the file that this one goes on from; undefined: it goes on from none. */
  elsewhere: (Json | undefined)[] | undefined
}

class RolloutReader {
  readonly #session: ImportedSession
  readonly #file: string
  readonly #context: ItemContext
  readonly #builder: TurnBuilder
  readonly #counts: TokenCounts
  readonly #copied: CopiedHistory
  readonly #tier: ServiceTier
  readonly #seen: number
  readonly #rollout: string | undefined
  /** Of lines without a time; undefined: the file is not bare. */
  readonly #bareAt: string | undefined
  #line: Line | undefined
  #isNamed: boolean
  /** Turns on the visible path. */
  #begun: number
  /** The last task. */
  #isOver: boolean

  constructor(
    session: ImportedSession,
    file: string,
    report: LossReport,
    { from, begun, seen, meta, rollout, elsewhere }: Begin,
  ) {
    this.#session = session
    this.#file = file
    this.#isOver = from?.over === true
    this.#seen = seen
    this.#rollout = rollout
    this.#bareAt = meta.isBare ? meta.at : undefined
    this.#counts = new TokenCounts(from, { elsewhere, rollout })
    this.#copied = new CopiedHistory(meta.payload, meta.at, from)
    this.#tier = new ServiceTier(from)
    const known = positionIn(rollout, session.position)
    this.#begun = begun
    this.#isNamed = known !== undefined && known.unnamed !== true
    this.#builder = new TurnBuilder({
      report,
      position: () => this.#position(),
      isSeen: () => this.#isSeen(),
      providerId: 'openai',
    })
    this.#builder.model = nameOf(from?.model)
    const unheard = new LossReport()
    const told = () => (this.#isSeen() ? unheard : report)
    this.#context = {
      builder: this.#builder,
      get report() {
        return told()
      },
      noteKind: 'codex.response_item',
      putImage: (image) => session.putAttachment(image, this.#bareAt),
    }
  }

  async *turns(lines: AsyncIterable<Line>): AsyncGenerator<Turn> {
    for await (const line of lines) {
      if (line.value) yield* this.#endTurn(line.value)
      if (line.value && turnsBackIn(line.value) > 0) await this.#takeBack(line.value)
      this.#line = line
      const { turns, fate } = line.value ? await this.#read(line.value) : this.#readBroken(line)
      this.#report.line(fate, countOf(line, this.#seen))
      if (line.repaired !== undefined) this.#report.repair('lines with text no store can hold')
      yield* turns
      this.#builder.moved()
    }
    yield* this.#builder.end()
  }

  /**
   * A later file of the thread may go on from just before a task, and a user may go back to just before what was said. While a
   * call waits it is of the task that is not over.
   */
  *#endTurn({ type, payload }: JsonObject): Generator<Turn> {
    const event = type === 'event_msg' ? (objectOf(payload)?.type ?? '') : ''
    const item = type === 'response_item' ? objectOf(payload) : undefined
    if (item && beginsTurn(item)) yield* this.#builder.turnBegins(true)
    else if (taskBegins.includes(event)) {
      yield* this.#builder.turnBegins(this.#isOver)
      this.#isOver = false
    } else if (taskEnds.includes(event)) this.#isOver = true
  }

  /** Of more turns than there are, all. */
  async #takeBack(line: JsonObject): Promise<void> {
    if (this.#begun === 0) return
    const left = Math.max(0, this.#begun - turnsBackIn(line))
    const { seq, begun } = await placeBefore(this.#session, { begun: this.#begun, left })
    this.#builder.step({ type: 'truncate', seq }, this.#timeOf(line))
    this.#begun = begun
  }

  #timeOf({ timestamp }: JsonObject): string | undefined {
    return isTime(timestamp) ? timestamp : this.#bareAt
  }

  #isSeen(): boolean {
    return (this.#line?.number ?? 0) <= this.#seen
  }

  /** Of lines that are read again everything was told. */
  get #report(): LossReport {
    return this.#context.report
  }

  #position(): JsonObject {
    const model = this.#builder.currentModel
    const place = this.#line ? lineAt(this.#line) : {}
    return {
      ...place,
      ...this.#counts.position(),
      ...this.#tier.position(),
      begun: this.#begun,
      ...(this.#isOver && { over: true }),
      ...(model !== undefined && { model }),
      ...(!this.#isNamed && { unnamed: true }),
      ...this.#copied.position(),
      ...(this.#rollout !== undefined && { rollout: this.#rollout }),
    }
  }

  #readBroken({ number, broken, text = '' }: Line): { turns: Iterable<Turn>; fate: LineFate } {
    if (broken === undefined) return { turns: [], fate: 'blank' }
    this.#report.breakLine({ file: this.#file, line: number, reason: broken })
    const kept = text.toWellFormed().slice(0, 64 * 1024)
    this.#builder.note({ kind: 'codex.broken_line', text: kept, data: { line: number } }, this.#bareAt)
    return { turns: [], fate: 'broken' }
  }

  async #read(value: JsonObject): Promise<{ turns: Iterable<Turn>; fate: LineFate }> {
    const at = this.#timeOf(value)
    const payload = objectOf(value.payload)
    this.#copied.read(value)
    this.#tier.read(value)
    if (!payload) return this.#keep(value, at)
    if (this.#bareAt !== undefined) this.#readBare(payload, at)
    switch (value.type) {
      case 'response_item':
        if (beginsTurn(payload)) this.#begun += 1
        return readItem(payload, at, this.#context)
      case 'turn_context':
        this.#builder.model = nameOf(payload.model)
        return this.#keep(value, at)
      case 'event_msg':
        return this.#readEvent(value, payload, at)
      case 'token_usage_record':
        this.#counts.told(payload)
        return this.#keep(value, at)
      case 'compacted':
        return this.#readCompacted(value, payload, at)
      default:
        return this.#keep(value, at)
    }
  }

  #readEvent(
    value: JsonObject,
    payload: JsonObject,
    at: string | undefined,
  ): { turns: Iterable<Turn>; fate: LineFate } {
    this.#nameSession(payload, at)
    if (payload.type !== 'token_count') return this.#keep(value, at)
    if (!objectOf(payload.info)) return this.#keep(value, at)
    const usage = this.#counts.read(payload, this.#line?.number ?? 0, this.#builder.currentModel)
    if (!this.#copied.isOver) return this.#keep(value, at, 'token counts of another session, copied from it')
    if (usage) this.#builder.usage(usage, at, this.#tier.isUsual)
    else this.#report.drop('token counts that repeat the one before')
    this.#builder.closeReply()
    return { turns: [], fate: usage ? 'carried' : 'dropped' }
  }

  /** Items alone tell what names the session, and where the agent works. */
  #readBare(item: JsonObject, at: string | undefined): void {
    if (beginsTurn(item)) this.#nameSession(item, at)
    const values = shortFacts({ cwd: this.#isSeen() || this.#begun > 0 ? undefined : cwdIn(item) })
    if (values.cwd !== undefined) this.#builder.step({ type: 'patchMetadata', values }, at)
  }

  /** What was said in copied history named the session that it was said in. */
  #nameSession(payload: JsonObject, at: string | undefined): void {
    if (this.#isSeen() || this.#copied.isGoingOn) return
    const given = nameGivenIn(payload)
    const title = given ?? (this.#isNamed ? undefined : titleIn(payload))
    if (title === undefined) return
    this.#isNamed = true
    this.#builder.step({ type: 'rename', title, automatic: given === undefined }, at)
  }

  #readCompacted(
    value: JsonObject,
    payload: JsonObject,
    at: string | undefined,
  ): { turns: Iterable<Turn>; fate: LineFate } {
    const line = this.#line?.number ?? 0
    const usage = this.#counts.ofSummary(payload, line, this.#builder.currentModel)
    if (usage && this.#copied.isOver) this.#builder.usage(usage, at, this.#tier.isUsual)
    const summary = textOf(payload.message)
    if (summary === undefined || summary.trim() === '') return this.#keep(value, at)
    const { message: _message, ...rest } = payload
    if (Object.keys(rest).length > 0) this.#keep(value, at)
    const compaction = {
      id: this.#rollout === undefined ? `compacted-${line}` : `compacted-${this.#rollout}-${line}`,
      summary,
      trigger: 'pressure' as const,
      tokensBefore: undefined,
      at,
    }
    return { turns: [...this.#builder.compact(compaction)], fate: 'carried' }
  }

  /** Kept whole: a writer puts it back where it was. */
  #keep(
    value: JsonObject,
    at: string | undefined,
    what = kindOf(value),
  ): { turns: Iterable<Turn>; fate: LineFate } {
    if (what !== undefined) this.#report.keep(what)
    this.#builder.note({ kind: 'codex.line', data: value }, at)
    return { turns: [], fate: 'opaque' }
  }
}

/** Undefined: nobody misses it. */
function kindOf(value: JsonObject): string | undefined {
  if (isState(value)) return undefined
  const { type = isBareMeta(value) ? 'session_meta' : null, payload } = value
  return [type, objectOf(payload)?.type].filter((name) => typeof name === 'string').join('.')
}

const taskEnds: readonly Json[] = ['task_complete', 'turn_complete', 'turn_aborted']
