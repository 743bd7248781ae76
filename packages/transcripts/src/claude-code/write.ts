/** Writes a session as a Claude Code file: `claude --resume` goes on with it when it lies under its project's folder. */
import {
  type EventData,
  isKnown,
  type Json,
  type JsonObject,
  type Message,
  type Session,
  type SessionEvent,
} from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { sessionIdOf } from '../session-id.ts'
import { walk } from '../walk.ts'
import { contentOf, resultBlock } from './blocks.ts'
import { objectOf, textOf } from './entry.ts'
import { formatName } from './read.ts'
import { usageFields } from './usage.ts'

export async function writeClaudeCode(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  const view = await session.view()
  const writer = new ClaudeCodeWriter(session, view, sink, report)
  for await (const { message, event } of walk(session)) {
    if (message) await writer.message(message, event)
    else await writer.event(event)
  }
  await writer.finish()
}

/** Notes that are no lines of a file: what they say stands elsewhere, or is ours alone. */
const silentNotes = ['attachment', 'import.position']

class ClaudeCodeWriter {
  readonly #session: ExportedSession
  readonly #sink: Sink
  readonly #report: LossReport
  readonly #common: JsonObject
  readonly #model: string
  readonly #isOurs: boolean
  /** The line that what follows may still add to. */
  #open: JsonObject | undefined
  #openCall: string | undefined
  #last: string | null = null
  #hasBoundary = false

  constructor(session: ExportedSession, view: Session, sink: Sink, report: LossReport) {
    this.#session = session
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
      sessionId: (isWhole ? textOf(source?.sourceId) : undefined) ?? view.id,
      version: textOf(view.metadata?.version) ?? '2.0.0',
      gitBranch: textOf(view.metadata?.gitBranch) ?? '',
    }
  }

  async message(message: Message, event: SessionEvent): Promise<void> {
    await this.#flush()
    if (message.erased) return this.#report.drop('erased messages')
    if (message.role === 'tool') this.#openResult(message, event)
    else if (message.role === 'assistant') await this.#openReply(message, event)
    else await this.#openPrompt(message, event)
  }

  async event(event: SessionEvent): Promise<void> {
    if (isKnown(event, 'usage.recorded')) {
      const spoken = objectOf(this.#open?.message)
      if (spoken?.role === 'assistant') spoken.usage = usageFields(event.data)
      else this.#report.drop('usage of calls that are no message')
    } else if (isKnown(event, 'compaction.applied')) {
      const { summary, trigger, tokensBefore } = event.data
      await this.#compaction(event, summary, {
        trigger: trigger === 'manual' ? trigger : 'auto',
        preTokens: tokensBefore,
      })
    } else if (isKnown(event, 'note.added')) await this.#note(event.data)
    else if (isKnown(event, 'child.spawned')) this.#report.drop('children, each a file of its own')
  }

  finish(): Promise<void> {
    return this.#flush()
  }

  async #openPrompt(message: Message, event: SessionEvent): Promise<void> {
    const isMeta = message.role === 'system' || message.author === 'claude-code'
    if (message.role === 'system') this.#report.repair('system messages written as remarks of the program')
    const content = await contentOf(message, this.#session, this.#isOurs, this.#report)
    if (content.length === 0) return this.#report.drop('messages without content for this format')
    const [only, ...rest] = content
    const isText = rest.length === 0 && only?.type === 'text' && Object.keys(only).length === 2
    const spoken = { role: 'user', content: isText ? (only.text as Json) : content }
    this.#openLine('user', event, { message: spoken, ...(isMeta && { isMeta }) }, message.id)
  }

  async #openReply(message: Message, event: SessionEvent): Promise<void> {
    const content = await contentOf(message, this.#session, this.#isOurs, this.#report)
    if (content.length === 0) return this.#report.drop('messages without content for this format')
    const calls = content.some(({ type }) => type === 'tool_use')
    const id = message.id.startsWith('msg_') ? message.id : `msg_${uuidOf(this.#session.id, event.seq)}`
    const spoken = {
      model: this.#model,
      id,
      type: 'message',
      role: 'assistant',
      content,
      stop_reason: calls ? 'tool_use' : message.finish === 'length' ? 'max_tokens' : 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: 0, output_tokens: 0 },
    }
    this.#openLine('assistant', event, { message: spoken })
  }

  #openResult(message: Message, event: SessionEvent): void {
    const block = resultBlock(message, this.#isOurs, this.#report)
    if (!block) return
    this.#openLine('user', event, { message: { role: 'user', content: [block] } })
    this.#openCall = textOf(block.tool_use_id)
  }

  #openLine(type: string, event: SessionEvent, fields: JsonObject, id?: string): void {
    const uuid = id !== undefined && isUuid(id) ? id : uuidOf(this.#session.id, event.seq)
    this.#open = { parentUuid: this.#last, ...this.#common, type, ...fields, uuid, timestamp: event.at }
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
    if (raw && isLine && kind !== 'claude_code.broken_line') return this.#keptLine(raw)
    if (!silentNotes.includes(kind)) this.#report.drop(`notes of kind ${kind}`)
  }

  /** As it was; one that has a place in the tree goes on from the line before it. */
  async #keptLine(raw: JsonObject): Promise<void> {
    await this.#flush()
    this.#report.line('opaque')
    this.#hasBoundary = raw.subtype === 'compact_boundary'
    const isBeside = typeof raw.uuid !== 'string' || objectOf(raw.message) !== undefined
    if (isBeside) return this.#write(raw)
    const parent = this.#hasBoundary
      ? { parentUuid: null, logicalParentUuid: this.#last }
      : { parentUuid: this.#last }
    this.#last = String(raw.uuid)
    await this.#write({ ...raw, ...parent })
  }

  async #compaction(event: SessionEvent, summary: string, compactMetadata: JsonObject): Promise<void> {
    await this.#flush()
    if (!this.#hasBoundary) {
      const uuid = uuidOf(this.#session.id, -event.seq)
      const parents = { parentUuid: null, logicalParentUuid: this.#last }
      const content = 'Conversation compacted'
      const boundary = {
        type: 'system',
        subtype: 'compact_boundary',
        content,
        level: 'info',
        compactMetadata,
      }
      this.#last = uuid
      await this.#write({ ...parents, ...this.#common, ...boundary, uuid, timestamp: event.at })
    }
    this.#hasBoundary = false
    const id = isKnown(event, 'compaction.applied') ? event.data.compactionId : undefined
    this.#openLine('user', event, { message: { role: 'user', content: summary }, isCompactSummary: true }, id)
  }

  async #flush(): Promise<void> {
    const line = this.#open
    this.#open = undefined
    this.#openCall = undefined
    if (line) await this.#write(line)
  }

  #write(line: JsonObject): Promise<void> {
    return this.#sink.write(`${JSON.stringify(line)}\n`)
  }
}

/** The same line of the same session has the same name whenever it is written. */
function uuidOf(sessionId: string, seq: number): string {
  return sessionIdOf(sessionId, formatName, String(seq))
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
