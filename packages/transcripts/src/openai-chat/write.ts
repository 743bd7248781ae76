/** Writes a session as one OpenAI chat conversation: `{"messages": […]}`, as a chat completion takes them. */
import { type EventData, isKnown, type JsonObject, type Message, type SessionEvent } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import { dropNote } from '../drop-note.ts'
import type { LossReport } from '../loss-report.ts'
import { PairedCalls } from '../paired-calls.ts'
import { walk } from '../walk.ts'
import { isNothing } from './messages.ts'
import { formatName, isObject } from './session.ts'
import { chatMessage, type Writing } from './write-message.ts'

/** An id may come again in another round. */
const callIds = { fits: /^.{1,40}$/s, isUnique: false }

export async function writeOpenaiChat(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  const { model, metadata } = await session.view()
  const head = model === undefined ? '{' : `{"model":${JSON.stringify(model)},`
  await sink.write(`${head}"messages":[`)
  const isOurs = isObject(metadata?.source) && metadata.source.format === formatName
  const writer = new ChatWriter(sink, { session, isOurs, report })
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
  readonly #sink: Sink
  readonly #writing: Writing
  readonly #report: LossReport
  #isFirst = true
  /** Ids of the calls that were written last and have no result yet. */
  #open: string[] = []
  /** Kept messages that stood between calls and their results: they come after these. */
  #waiting: JsonObject[] = []

  constructor(sink: Sink, writing: Writing) {
    this.#sink = sink
    this.#writing = writing
    this.#report = writing.report
  }

  async message(message: Message): Promise<void> {
    const written = await chatMessage(message, this.#writing)
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
