/** Writes a session as a Claude Code file: `claude --resume` goes on with it when it lies under its project's folder. */
import {
  type EventData,
  isKnown,
  type Json,
  type JsonObject,
  type Message,
  type Session,
  type SessionEvent,
  type UsageRecord,
} from '@holdfast/protocol'
import { compactionsOf, Standing } from '../compactions.ts'
import type { ExportedSession, Sink } from '../contract.ts'
import { dropNote } from '../drop-note.ts'
import type { LossReport } from '../loss-report.ts'
import { PairedCalls } from '../paired-calls.ts'
import { sessionIdOf } from '../session-id.ts'
import { walk } from '../walk.ts'
import { contentOf } from './blocks.ts'
import { objectOf, textOf } from './entry.ts'
import { formatName } from './read.ts'
import { resultBlock } from './result-block.ts'
import { isOfAdvisor, usageFields } from './usage.ts'

export async function writeClaudeCode(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  const view = await session.view()
  const standing = new Standing<string>(await compactionsOf(session))
  const writer = new ClaudeCodeWriter(session, view, standing, sink, report)
  const calls = new PairedCalls(callIds, report)
  for await (const { message, event } of walk(session)) {
    if (message) for (const each of calls.next(message)) await writer.message(each, event.at)
    else await writer.event(event)
  }
  for (const each of calls.end()) await writer.message(each, each.at)
  await writer.finish()
}

const callIds = { fits: /^[a-zA-Z0-9_-]+$/, isUnique: true }

/** What the ids of its messages begin with. */
const providersId = 'msg_'

class ClaudeCodeWriter {
  readonly #session: ExportedSession
  /** Names of the lines of what stands beside a summary. */
  readonly #standing: Standing<string>
  readonly #sink: Sink
  readonly #report: LossReport
  readonly #common: JsonObject
  /** Claude Code leaves out thoughts of a model that is not Claude's. */
  #model: string
  readonly #isOurs: boolean
  /** The line that what follows may still add to. */
  #open: JsonObject | undefined
  #openCall: string | undefined
  /** Of the message that is open, where that is the provider's. */
  #openId: string | undefined
  /** Figures of messages that were cut off: they are told of what was read again in their place, without their ids. */
  #cutOff: UsageRecord[] = []
  #last: string | null = null
  /** A boundary of the file that was imported, until its summary tells what stands beside that. */
  #boundary: JsonObject | undefined

  constructor(
    session: ExportedSession,
    view: Session,
    standing: Standing<string>,
    sink: Sink,
    report: LossReport,
  ) {
    this.#session = session
    this.#standing = standing
    this.#sink = sink
    this.#report = report
    const source = objectOf(view.metadata?.source)
    this.#isOurs = source?.format === formatName
    this.#model = view.model ?? 'unknown'
    const isWhole = this.#isOurs && source?.branch === undefined
    this.#common = {
      isSidechain: false,
      userType: 'external',
      cwd: textOf(view.metadata?.cwd) ?? '/',
      sessionId: isWhole && isUuid(String(source?.sourceId)) ? String(source?.sourceId) : view.id,
      version: textOf(view.metadata?.version) ?? '2.0.0',
      gitBranch: textOf(view.metadata?.gitBranch) ?? '',
    }
  }

  async message(message: Message, at: string): Promise<void> {
    await this.#flush()
    if (message.role === 'tool') await this.#openResult(message, at)
    else if (message.role === 'assistant') await this.#openReply(message, at)
    else await this.#openPrompt(message, at)
    if (this.#open && this.#last !== null) this.#standing.add(message, this.#last)
  }

  async event(event: SessionEvent): Promise<void> {
    if (isKnown(event, 'usage.recorded')) {
      this.#usage(event.data)
    } else if (isKnown(event, 'run.started')) this.#model = event.data.model ?? this.#model
    else if (isKnown(event, 'compaction.applied')) {
      const { compactionId, summary, trigger, tokensBefore } = event.data
      await this.#compaction(event, compactionId, summary, {
        trigger: trigger === 'manual' ? trigger : 'auto',
        preTokens: tokensBefore,
      })
    } else if (isKnown(event, 'note.added')) await this.#note(event.data)
    else if (isKnown(event, 'child.spawned')) this.#report.drop('children, each a file of its own')
  }

  #usage(usage: UsageRecord): void {
    if (isOfAdvisor(usage)) return
    const spoken = objectOf(this.#open?.message)
    const { attemptId } = usage
    const isOther =
      attemptId.startsWith(providersId) &&
      this.#openId !== undefined &&
      attemptId.split('.')[0] !== this.#openId
    if (spoken?.role === 'assistant' && usage.purpose === 'turn' && !isOther)
      Object.assign(spoken, { usage: usageFields(usage), model: usage.model ?? this.#model })
    else if (attemptId.startsWith(providersId)) this.#cutOff.push(usage)
    else this.#report.drop('usage of calls that are no message')
  }

  /** Nothing was read again in their place. */
  #dropCutOff(): void {
    for (const _ of this.#cutOff.splice(0)) this.#report.drop('usage of calls that are no message')
  }

  finish(): Promise<void> {
    this.#dropCutOff()
    return this.#flush()
  }

  async #openPrompt(message: Message, at: string): Promise<void> {
    const isMeta = message.role === 'system' || message.author === 'claude-code'
    if (message.role === 'system') this.#report.repair('system messages written as remarks of the program')
    const content = await contentOf(message, this.#session, this.#isOurs, this.#report)
    if (content.length === 0) return this.#report.drop('messages without content for this format')
    const [only, ...rest] = content
    const isText = rest.length === 0 && only?.type === 'text' && Object.keys(only).length === 2
    const spoken = { role: 'user', content: isText ? (only.text as Json) : content }
    this.#openLine('user', at, { message: spoken, ...(isMeta && { isMeta }) }, message.id)
  }

  async #openReply(message: Message, at: string): Promise<void> {
    const content = await contentOf(message, this.#session, this.#isOurs, this.#report)
    if (content.length === 0) return this.#report.drop('messages without content for this format')
    const calls = content.some(({ type }) => type === 'tool_use')
    const isProviders = message.id.startsWith(providersId)
    const id = isProviders ? message.id : `${providersId}${uuidOf(this.#session.id, message.id)}`
    if (isProviders) this.#dropCutOff()
    const paid = this.#cutOff.shift()
    const spoken = {
      model: this.#model,
      id,
      type: 'message',
      role: 'assistant',
      content,
      stop_reason: calls ? 'tool_use' : message.finish === 'length' ? 'max_tokens' : 'end_turn',
      stop_sequence: null,
      usage: paid ? usageFields(paid) : { input_tokens: 0, output_tokens: 0 },
    }
    this.#openLine('assistant', at, { message: spoken }, message.id)
    this.#openId = isProviders ? id : undefined
  }

  async #openResult(message: Message, at: string): Promise<void> {
    const block = await resultBlock(message, this.#session, this.#isOurs, this.#report)
    if (!block) return
    this.#openLine('user', at, { message: { role: 'user', content: [block] } }, message.id)
    this.#openCall = textOf(block.tool_use_id)
  }

  #openLine(type: string, at: string, fields: JsonObject, id: string): void {
    const uuid = uuidOf(this.#session.id, id)
    this.#open = { parentUuid: this.#last, ...this.#common, type, ...fields, uuid, timestamp: at }
    this.#openCall = undefined
    this.#last = uuid
    this.#report.line('carried')
  }

  async #note({ kind, data, callId }: EventData<'note.added'>): Promise<void> {
    const raw = objectOf(data)
    if (
      kind === 'claude_code.tool_use_result' &&
      callId !== undefined &&
      callId === this.#openCall &&
      this.#open
    ) {
      this.#open.toolUseResult = data ?? null
      return
    }
    const isLine = kind.startsWith('claude_code.') && typeof raw?.type === 'string'
    if (raw && isLine && kind !== 'claude_code.broken_line') return this.#keptLine(ofThisFile(raw))
    dropNote(this.#report, kind)
  }

  /** As it was; one that has a place in the tree goes on from the line before it. */
  async #keptLine(raw: JsonObject): Promise<void> {
    await this.#flush()
    this.#report.line('opaque')
    const isBeside = typeof raw.uuid !== 'string' || objectOf(raw.message) !== undefined
    if (isBeside) return this.#write(raw)
    const isBoundary = raw.subtype === 'compact_boundary'
    const parent = isBoundary
      ? { parentUuid: null, logicalParentUuid: this.#last }
      : { parentUuid: this.#last }
    this.#last = String(raw.uuid)
    if (isBoundary) this.#boundary = { ...raw, ...parent }
    else await this.#write({ ...raw, ...parent })
  }

  async #compaction(
    { seq, at }: SessionEvent,
    compactionId: string,
    summary: string,
    about: JsonObject,
  ): Promise<void> {
    const known = this.#boundary
    this.#boundary = undefined
    await this.#flush()
    const anchorUuid = uuidOf(this.#session.id, compactionId)
    const standing = this.#standing.at(seq, anchorUuid)
    const boundary = known ?? this.#newBoundary(`boundary ${compactionId}`, at, about)
    if (!standing) {
      if (known) await this.#write(known)
      return this.#report.drop('compactions that were taken back')
    }
    if (standing.before.length > 0) this.#report.repair('summaries put before what they came after')
    this.#last = String(boundary.uuid)
    await this.#write(keeping(boundary, anchorUuid, [...standing.before, ...standing.after]))
    const spoken = { role: 'user', content: summary }
    this.#openLine('user', at, { message: spoken, isCompactSummary: true }, anchorUuid)
  }

  #newBoundary(id: string, timestamp: string, compactMetadata: JsonObject): JsonObject {
    const parents = { parentUuid: null, logicalParentUuid: this.#last }
    const what = {
      type: 'system',
      subtype: 'compact_boundary',
      content: 'Conversation compacted',
      level: 'info',
    }
    const uuid = uuidOf(this.#session.id, id)
    return { ...parents, ...this.#common, ...what, compactMetadata, uuid, timestamp }
  }

  async #flush(): Promise<void> {
    const [boundary, line] = [this.#boundary, this.#open]
    this.#boundary = undefined
    this.#open = undefined
    this.#openCall = undefined
    if (boundary) await this.#write(boundary)
    if (line) await this.#write(line)
  }

  #write(line: JsonObject): Promise<void> {
    return this.#sink.write(`${JSON.stringify(line)}\n`)
  }
}

/** A sub-agent's line is no longer in the file of the session that it worked for. */
function ofThisFile(raw: JsonObject): JsonObject {
  if (raw.isSidechain !== true) return raw
  const { agentId: _, ...line } = raw
  return { ...line, isSidechain: false }
}

/** The boundary with what stands in the context beside its summary, by the names that these lines have here. */
function keeping(boundary: JsonObject, anchorUuid: string, uuids: string[]): JsonObject {
  const { preservedSegment: _, preservedMessages: __, ...about } = objectOf(boundary.compactMetadata) ?? {}
  const kept: JsonObject = uuids.length > 0 ? { preservedMessages: { anchorUuid, uuids } } : {}
  return { ...boundary, compactMetadata: { ...about, ...kept } }
}

/** The same line of the same session has the same name whenever it is written; an id of Claude Code's own stays. */
function uuidOf(sessionId: string, id: string): string {
  return isUuid(id) ? id : sessionIdOf(sessionId, formatName, id)
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
