/** Writes a session as one OpenAI chat conversation: `{"messages": […]}`, as a chat completion takes them. */
import {
  type EventData,
  isKnown,
  type Json,
  type JsonObject,
  type Message,
  type MessagePart,
  type SessionEvent,
} from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import { dropNote } from '../drop-note.ts'
import type { LossReport } from '../loss-report.ts'
import { PairedCalls } from '../paired-calls.ts'
import { walk } from '../walk.ts'
import { isNothing } from './messages.ts'
import { isObject } from './session.ts'

/** An id may come again in another round. */
const callIds = { fits: /^.{1,40}$/s, isUnique: false }

export async function writeOpenaiChat(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  const { model } = await session.view()
  const head = model === undefined ? '{' : `{"model":${JSON.stringify(model)},`
  await sink.write(`${head}"messages":[`)
  const writer = new ChatWriter(session, sink, report)
  const calls = new PairedCalls(callIds, report)
  for await (const { message, event } of walk(session)) {
    if (message) for (const each of calls.next(message)) await writer.message(each)
    else await writer.event(event)
  }
  for (const each of calls.end()) await writer.message(each)
  await writer.finish()
  await sink.write('\n]}\n')
}

class ChatWriter {
  readonly #session: ExportedSession
  readonly #sink: Sink
  readonly #report: LossReport
  #isFirst = true
  /** Ids of the calls that were written last and have no result yet. */
  #open: string[] = []
  /** Kept messages that stood between calls and their results: they come after these. */
  #waiting: JsonObject[] = []

  constructor(session: ExportedSession, sink: Sink, report: LossReport) {
    this.#session = session
    this.#sink = sink
    this.#report = report
  }

  async message(message: Message): Promise<void> {
    const written = await chatMessage(message, this.#session, this.#report)
    this.#report.line(written ? 'carried' : 'dropped')
    if (written) await this.#say(written)
  }

  async event(event: SessionEvent): Promise<void> {
    if (isKnown(event, 'note.added')) await this.#note(event.data)
    else if (isKnown(event, 'child.spawned')) this.#report.drop('children, each a file of its own')
  }

  finish(): Promise<void> {
    return this.#release()
  }

  async #note({ kind, data }: EventData<'note.added'>): Promise<void> {
    const kept = kind === 'openai_chat.message' && isObject(data) ? data : undefined
    const isAnswer = kept?.role === 'tool' && this.#open.includes(String(kept.tool_call_id))
    if (!kept || !(isAnswer || isTaken(kept))) return dropNote(this.#report, kind)
    this.#report.line('opaque')
    if (isAnswer || this.#open.length === 0) await this.#say(kept)
    else this.#waiting.push(kept)
  }

  async #say(message: JsonObject): Promise<void> {
    if (message.role === 'tool') this.#answer(message)
    else {
      await this.#release()
      this.#open = callIdsIn(message)
    }
    await this.#write(message)
    if (this.#open.length === 0) await this.#release()
  }

  #answer({ tool_call_id: callId }: JsonObject): void {
    this.#open = this.#open.filter((id) => id !== callId)
  }

  async #release(): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) await this.#write(message)
  }

  async #write(message: JsonObject): Promise<void> {
    await this.#sink.write(`${this.#isFirst ? '\n' : ',\n'}${JSON.stringify(message)}`)
    this.#isFirst = false
  }
}

/** Whether a provider takes a kept message: an answer that stands for itself without words, or a function's result. */
function isTaken(message: JsonObject): boolean {
  const { role, content, name, tool_calls: calls } = message
  if (role === 'function')
    return typeof name === 'string' && (typeof content === 'string' || content === null)
  if (role !== 'assistant' || !isNothing(content) || !isNothing(calls)) return false
  return typeof message.refusal === 'string' || isObject(message.function_call) || isObject(message.audio)
}

function callIdsIn({ tool_calls: calls }: JsonObject): string[] {
  if (!Array.isArray(calls)) return []
  return calls.flatMap((call) => (isObject(call) && typeof call.id === 'string' ? [call.id] : []))
}

async function chatMessage(
  message: Message,
  session: ExportedSession,
  report: LossReport,
): Promise<JsonObject | undefined> {
  if (message.role === 'tool') return toolMessage(message, report)
  const { calls, spoken, thoughts } = sorted(message.parts)
  const content = await contentOf(spoken, session, report)
  if (message.role === 'assistant') {
    const reasoning = thoughts.map(({ text }) => text).join('')
    return {
      role: 'assistant',
      content: spoken.length === 0 ? null : content,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  }
  const { role, author } = message
  if (role === 'system') return { role: author === 'developer' ? author : role, content }
  return { role, content, ...(author !== undefined && { name: author }) }
}

function toolMessage({ parts }: Message, report: LossReport): JsonObject | undefined {
  const [part] = parts
  if (part?.type !== 'tool_result') return dropped(report, 'tool messages without a result')
  const isText = typeof part.output === 'string' || Array.isArray(part.output) || part.output === null
  if (!isText) report.repair('tool outputs written as JSON text')
  return {
    role: 'tool',
    tool_call_id: part.callId,
    content: isText ? part.output : JSON.stringify(part.output),
  }
}

function sorted(parts: readonly MessagePart[]) {
  const calls: Json[] = []
  const spoken: MessagePart[] = []
  const thoughts: (MessagePart & { type: 'reasoning' })[] = []
  for (const part of parts) {
    if (part.type === 'tool_call') calls.push(callOf(part))
    else if (part.type === 'data' && part.name === 'openai.tool_call') calls.push(part.data)
    else if (part.type === 'reasoning') thoughts.push(part)
    else spoken.push(part)
  }
  return { calls, spoken, thoughts }
}

function callOf({ callId, name, input, provider }: MessagePart & { type: 'tool_call' }): JsonObject {
  const { arguments: exact, call } = provider ?? {}
  const text = typeof exact === 'string' ? exact : JSON.stringify(input)
  const rest = typeof call === 'object' && call !== null && !Array.isArray(call) ? call : { type: 'function' }
  return { id: callId, ...rest, function: { name, arguments: text } }
}

/** One plain text is a text, as most programs write it; everything else a list of parts. */
async function contentOf(
  parts: readonly MessagePart[],
  session: ExportedSession,
  report: LossReport,
): Promise<Json> {
  const [first, ...rest] = parts
  if (rest.length === 0 && first?.type === 'text' && !first.provider) return first.text
  if (rest.length === 0 && first?.type === 'data' && first.name === 'openai.content') return first.data
  const written: Json[] = []
  for (const part of parts) {
    const json = await contentPart(part, session)
    if (json === undefined) report.drop(`${part.type} parts`)
    else written.push(json)
  }
  return written
}

async function contentPart(part: MessagePart, session: ExportedSession): Promise<Json | undefined> {
  if (part.type === 'text') return { type: 'text', text: part.text, ...part.provider }
  if (part.type === 'data' && part.name === 'openai.content_part') return part.data
  if (part.type !== 'image') return undefined
  const bytes = await session.getAttachment(part.hash)
  if (!bytes) return undefined
  const url = `data:${part.mediaType};base64,${Buffer.from(bytes).toString('base64')}`
  return { type: 'image_url', image_url: { url, ...part.provider } }
}

function dropped(report: LossReport, what: string): undefined {
  report.drop(what)
}
