/** Reads a Codex rollout: one file, one session; that of a sub-agent is a child of the session that spawned it. */
import { basename } from 'node:path'
import { isTime, type Json, type JsonObject } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import type { Destination, SourceName } from '../destination.ts'
import type { ImportedSession, NewSession } from '../imported-session.ts'
import { isUnchanged, lineAt, linePositionOf } from '../line-position.ts'
import { type LineFate, LossReport } from '../loss-report.ts'
import { beforeOpenTurn } from '../open-turn.ts'
import { type ItemContext, isPrompt, objectOf, readItem } from '../openai-responses/items.ts'
import { countOf, type From, type Line } from '../read-lines.ts'
import { shortFacts } from '../short-facts.ts'
import type { Source } from '../source.ts'
import { TurnBuilder } from '../turn-builder.ts'
import { writeTurns } from '../write-turns.ts'
import { asFork, forkOf, positionIn } from './base.ts'
import { createBelow, openUnlessEnded } from './children.ts'
import { CopiedHistory } from './copied-history.ts'
import { baseOf, type Meta, nameOf, nicknameOf, parentThreadOf, readMeta, rolloutIn, textOf } from './meta.ts'
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
    const from = known && (await placeToGoOnFrom(reading))
    const seen = position?.line ?? 0
    const elsewhere = baseOf(meta.payload) && [before?.position?.totals, session.position?.totals]
    const reader = new RolloutReader(session, source.name, into.report, {
      from,
      seen,
      meta,
      rollout,
      elsewhere,
    })
    const turns = reader.turns(source.lines(placeOf(from)))
    await writeTurns(session, rollout !== undefined && !known ? asFork(turns, input) : turns)
  }
  into.done(session)
}

/** Where a turn was open and goes on, it is cut off and read again. */
async function placeToGoOnFrom({ source, session }: Reading): Promise<JsonObject | undefined> {
  const kept = await beforeOpenTurn(session)
  if (!kept || !(await goesOn(source, session.position))) return session.position
  session.cutAfter(kept.seq)
  return kept.data
}

/** There is more, and it does not begin with something new that a user says. */
async function goesOn(source: Source, position: JsonObject | undefined): Promise<boolean> {
  let hasMore = false
  for await (const { value } of source.lines(placeOf(position))) {
    const item = value?.type === 'response_item' ? objectOf(value.payload) : undefined
    if (item) return !isPrompt(item)
    hasMore ||= value !== undefined
  }
  return hasMore
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
  /** Lines up to this one were imported before. */
  seen: number
  /** Totals of the file that this one goes on from; undefined: it goes on from none. */
  elsewhere: (Json | undefined)[] | undefined
}

class RolloutReader {
  readonly #file: string
  readonly #context: ItemContext
  readonly #builder: TurnBuilder
  readonly #counts: TokenCounts
  readonly #copied: CopiedHistory
  readonly #seen: number
  readonly #rollout: string | undefined
  #line: Line | undefined
  #isNamed: boolean
  /** The last task. */
  #isOver = false

  constructor(
    session: ImportedSession,
    file: string,
    report: LossReport,
    { from, seen, meta, rollout, elsewhere }: Begin,
  ) {
    this.#file = file
    this.#seen = seen
    this.#rollout = rollout
    this.#counts = new TokenCounts(from, { elsewhere, rollout })
    this.#copied = new CopiedHistory(meta.payload, meta.at, from !== undefined && from.copied !== true)
    const known = positionIn(rollout, session.position)
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
      putImage: (image) => session.putAttachment(image, undefined),
    }
  }

  async *turns(lines: AsyncIterable<Line>): AsyncGenerator<Turn> {
    for await (const line of lines) {
      if (line.value) yield* this.#readTask(line.value)
      this.#line = line
      const { turns, fate } = line.value ? await this.#read(line.value) : this.#readBroken(line)
      this.#report.line(fate, countOf(line, this.#seen))
      if (line.repaired !== undefined) this.#report.repair('lines with text no store can hold')
      yield* turns
      this.#builder.moved()
    }
    yield* this.#builder.end()
  }

  /** A later file of the thread may go on from just before a task. While a call waits it is of the one that is not over. */
  *#readTask({ type, payload }: JsonObject): Generator<Turn> {
    const event = type === 'event_msg' ? (objectOf(payload)?.type ?? '') : ''
    if (taskBegins.includes(event)) {
      yield* this.#builder.turnBegins(this.#isOver)
      this.#isOver = false
    } else if (taskEnds.includes(event)) this.#isOver = true
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
      ...(model !== undefined && { model }),
      ...(!this.#isNamed && { unnamed: true }),
      ...(!this.#copied.isOver && { copied: true }),
      ...(this.#rollout !== undefined && { rollout: this.#rollout }),
    }
  }

  #readBroken({ number, broken, text = '' }: Line): { turns: Iterable<Turn>; fate: LineFate } {
    if (broken === undefined) return { turns: [], fate: 'blank' }
    this.#report.breakLine({ file: this.#file, line: number, reason: broken })
    const kept = text.toWellFormed().slice(0, 64 * 1024)
    this.#builder.note({ kind: 'codex.broken_line', text: kept, data: { line: number } }, undefined)
    return { turns: [], fate: 'broken' }
  }

  async #read(value: JsonObject): Promise<{ turns: Iterable<Turn>; fate: LineFate }> {
    const at = isTime(value.timestamp) ? value.timestamp : undefined
    const payload = objectOf(value.payload)
    this.#copied.read(value)
    if (!payload) return this.#keep(value, at)
    switch (value.type) {
      case 'response_item':
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
    const info = objectOf(payload.info)
    if (!info) return this.#keep(value, at)
    const usage = this.#counts.read(info, this.#line?.number ?? 0, this.#builder.currentModel)
    if (!this.#copied.isOver) return this.#keep(value, at, 'token counts of another session, copied from it')
    if (usage) this.#builder.usage(usage, at)
    else this.#report.drop('token counts that repeat the one before')
    this.#builder.closeReply()
    return { turns: [], fate: usage ? 'carried' : 'dropped' }
  }

  #nameSession(payload: JsonObject, at: string | undefined): void {
    const title = this.#isNamed ? undefined : saidIn(payload)?.trim().split('\n')[0]
    if (!title) return
    this.#isNamed = true
    this.#builder.step({ type: 'rename', title: [...title].slice(0, 80).join(''), automatic: true }, at)
  }

  #readCompacted(
    value: JsonObject,
    payload: JsonObject,
    at: string | undefined,
  ): { turns: Iterable<Turn>; fate: LineFate } {
    const line = this.#line?.number ?? 0
    const usage = this.#counts.ofSummary(payload, line, this.#builder.currentModel)
    if (usage && this.#copied.isOver) this.#builder.usage(usage, at)
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
    this.#report.keep(what)
    this.#builder.note({ kind: 'codex.line', data: value }, at)
    return { turns: [], fate: 'opaque' }
  }
}

/** What a user said, without what the program put around it; the newer of two shapes is an item. */
function saidIn({ type, message, item }: JsonObject): string | undefined {
  if (type === 'user_message') return textOf(message)
  const said = type === 'item_completed' ? objectOf(item) : undefined
  if (said?.type !== 'UserMessage' || !Array.isArray(said.content)) return undefined
  return said.content.map((part) => textOf(objectOf(part)?.text)).find((text) => text !== undefined)
}

function kindOf({ type, payload }: JsonObject): string {
  return [type, objectOf(payload)?.type].filter((name) => typeof name === 'string').join('.')
}

const taskBegins: readonly Json[] = ['task_started', 'turn_started']
const taskEnds: readonly Json[] = ['task_complete', 'turn_complete', 'turn_aborted']
