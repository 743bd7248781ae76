/** Turns as they are shown while they happen. */
import type { Followed, FollowedDraft } from '@holdfast/core'
import {
  isErased,
  isKnown,
  type Message,
  type MessagePart,
  type SessionEvent,
  type ToolCallPart,
} from '@holdfast/protocol'
import type { Output } from '../terminal/output.ts'
import { plainLine, plainText } from '../terminal/plain.ts'
import { followedText } from '../transcript/followed-text.ts'
import { Marks } from '../transcript/marks.ts'
import { callLines, entryLines, type TranscriptOptions } from '../transcript/transcript-lines.ts'
import { Spent } from './spent.ts'

export interface TurnView {
  /** A turn begins; `said` is its input, which stands there already. */
  begin(said?: string): void
  see(item: Followed): Promise<void>
  /** The run rests. */
  end(): Promise<void>
}

/** For programs: every item as a line of JSON. */
export class JsonView implements TurnView {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  begin(): void {}

  async see(item: Followed): Promise<void> {
    await this.#output.text(followedText(item))
  }

  async end(): Promise<void> {}
}

const widest = 110
const widthOfPipe = 100

/**
 * For people: the answer as it is written, a line for each tool call once its result is there, what it all used. Where the
 * output is no terminal, everything but the answer goes beside it.
 */
export class DrawnView implements TurnView {
  readonly #output: Output
  readonly #drawing: TranscriptOptions
  readonly #marks = new Marks()
  #spent = new Spent()
  readonly #calls = new Map<string, ToolCallPart>()
  #said: string | undefined
  /** What is on the screen of the message in the making. */
  #shown = ''
  #isCut = false

  /** `before`: messages whose calls may still get their results. */
  constructor(output: Output, before: readonly Message[]) {
    this.#output = output
    for (const { parts } of before) this.#keepCalls(parts)
    const width = Math.min(output.width ?? widthOfPipe, widest)
    this.#drawing = { style: output.style, width, full: false, wholeIds: !output.isTerminal }
  }

  begin(said?: string): void {
    this.#said = said
    this.#isCut = false
    this.#spent = new Spent()
  }

  async see(item: Followed): Promise<void> {
    if (item.type === 'event') await this.#event(item.event)
    else if (item.type === 'draft') await this.#draft(item)
    else await this.#beside(this.#output.style.warn('— another attempt'))
  }

  async end(): Promise<void> {
    await this.#endLine()
    const line = this.#spent.line()
    if (line !== undefined) await this.#beside(this.#output.style.faint(line))
  }

  async #draft({ draft: { kind, text } }: FollowedDraft): Promise<void> {
    if (kind !== 'text') return
    this.#shown += text
    await this.#output.text(plainText(text))
  }

  async #event(event: SessionEvent): Promise<void> {
    const { style } = this.#output
    if (isErased(event)) return
    if (isKnown(event, 'message.appended')) await this.#message(event.data)
    else if (isKnown(event, 'tool.finished')) {
      const { callId, name, output, outcome } = event.data
      const call = this.#calls.get(callId)
      this.#calls.delete(callId)
      const result = { type: 'tool_result' as const, callId, output, outcome }
      await this.#beside(...callLines(call?.name ?? name ?? 'tool', call?.input ?? {}, result, this.#drawing))
    } else if (isKnown(event, 'usage.recorded')) this.#spent.add(event.data)
    else if (isKnown(event, 'run.failed')) {
      await this.#beside(style.bad(`— failed: ${plainLine(event.data.error)}`))
    } else if (isKnown(event, 'run.cancelled')) {
      if (!this.#isCut) await this.#beside(style.warn('— stopped'))
    } else if (!/^(run|question)\./.test(event.type)) await this.#remark(event)
  }

  async #message({ role, parts, finish = 'complete' }: Said): Promise<void> {
    const text = textOf(parts)
    if (role === 'user') return this.#userSaid(text)
    if (role !== 'assistant') return
    if (!text.startsWith(this.#shown)) await this.#endLine()
    await this.#output.text(plainText(text.slice(this.#shown.length)))
    this.#shown = text
    await this.#endLine()
    this.#keepCalls(parts)
    this.#isCut = finish === 'interrupted'
    if (finish !== 'complete') {
      await this.#beside(this.#output.style.warn(this.#isCut ? '— stopped here' : `— ${finish}`))
    }
  }

  #keepCalls(parts: readonly MessagePart[]): void {
    for (const part of parts) if (part.type === 'tool_call') this.#calls.set(part.callId, part)
  }

  async #userSaid(text: string): Promise<void> {
    const isOurs = text === this.#said
    this.#said = undefined
    if (!isOurs) await this.#beside(`${this.#output.style.accent('you ›')} ${plainText(text)}`)
  }

  async #remark(event: SessionEvent): Promise<void> {
    const marks = this.#marks.of(event).filter(({ type }) => type !== 'round')
    const lines = marks.flatMap((mark) => entryLines(mark, this.#drawing))
    await this.#beside(...lines)
  }

  async #endLine(): Promise<void> {
    if (this.#shown !== '' && !this.#shown.endsWith('\n')) await this.#output.text('\n')
    this.#shown = ''
  }

  async #beside(...lines: string[]): Promise<void> {
    if (lines.length > 0) await this.#endLine()
    if (this.#output.isTerminal) await this.#output.lines(lines)
    else await this.#output.aside(...lines)
  }
}

interface Said {
  role: string
  parts: readonly MessagePart[]
  finish?: string | undefined
}

function textOf(parts: readonly MessagePart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
