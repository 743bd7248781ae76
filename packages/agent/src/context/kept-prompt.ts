/**
 * The prompt and its size as they were last made: a longer view begins with what a shorter one was, so each look costs what
 * was added. Only the last step of a view may still change.
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { LiveView, ProviderMessage, UnseenSession } from '@holdfast/core'
import { utf8Bytes } from '@holdfast/protocol'
import { addMessage } from '../model/prompt.ts'
import { inFull } from '../model/response.ts'
import type { CountTokens } from './count.ts'
import { hashOf, type Mark } from './manifest.ts'

export interface Window {
  messages: readonly ProviderMessage[]
  /** One for each message. */
  marks: readonly Mark[]
  prompt: LanguageModelV4Prompt
}

interface Marked {
  before: Mark | undefined
  /** Of its message. */
  text: string
  mark: Mark
}

export class KeptPrompt {
  readonly #session: UnseenSession
  readonly #view: LiveView
  readonly #count: CountTokens
  readonly #files = new Map<string, Uint8Array>()
  readonly #names = new Map<string, string>()
  #generation = -1
  /** How many messages of the view are in `#prompt`. */
  #kept = 0
  #prompt: LanguageModelV4Message[] = []
  #marks: Mark[] = []
  /** Of the last step, which may still change. */
  #open: readonly Marked[] = []
  /** Messages before this one are sent without reference to what a provider keeps. */
  #inFullBefore = 0

  constructor(session: UnseenSession, count: CountTokens) {
    this.#session = session
    this.#view = session.liveView()
    this.#count = count
  }

  /** Of what it keeps: texts in UTF-8, and files. */
  get bytes(): number {
    let files = 0
    for (const { byteLength } of this.#files.values()) files += byteLength
    return (this.#marks.at(-1)?.bytes ?? 0) + files
  }

  /** `system`: the text that the prompt begins with; none where it is empty. */
  async read(system = ''): Promise<Window> {
    const messages = await this.#view.read()
    if (this.#view.generation !== this.#generation) {
      this.#begin()
      this.#files.clear()
    }
    const open = Math.max(
      0,
      messages.findLastIndex(({ role }) => role === 'assistant'),
    )
    for (const message of messages.slice(this.#kept)) await this.#load(message)
    for (; this.#kept < open; this.#kept++) {
      const message = messages[this.#kept] as ProviderMessage
      this.#add(this.#prompt, message, this.#kept)
      this.#marks.push(this.#mark(message, this.#marks).mark)
    }
    return {
      messages,
      marks: this.#marked(messages.slice(open)),
      prompt: systemOf(system).concat(this.#prompt, this.promptOf(messages, open)),
    }
  }

  /** The messages from `start` on as a prompt of their own. */
  promptOf(messages: readonly ProviderMessage[], start: number): LanguageModelV4Prompt {
    const prompt: LanguageModelV4Message[] = []
    for (const [i, message] of messages.slice(start).entries()) this.#add(prompt, message, start + i)
    return prompt
  }

  /** What stands in the window now is sent in full from now on: the provider has lost what it kept. */
  sendInFull({ messages }: Window, system: string): LanguageModelV4Prompt {
    this.#inFullBefore = messages.length
    this.#begin()
    return [...systemOf(system), ...this.promptOf(messages, 0)]
  }

  #begin(): void {
    this.#generation = this.#view.generation
    this.#kept = 0
    this.#prompt = []
    this.#marks = []
    this.#open = []
  }

  #add(prompt: LanguageModelV4Message[], message: ProviderMessage, place: number): void {
    const known = { names: this.#names, files: this.#files }
    addMessage(prompt, place < this.#inFullBefore ? inFull(message) : message, known)
  }

  #marked(messages: readonly ProviderMessage[]): Mark[] {
    const marks = this.#marks.slice()
    const open: Marked[] = []
    for (const message of messages) {
      const marked = this.#mark(message, marks)
      open.push(marked)
      marks.push(marked.mark)
    }
    this.#open = open
    return marks
  }

  /** The next mark; messages of the last step mostly stand in the next read as they stood in this one. */
  #mark({ role, parts, compactionId }: ProviderMessage, marks: readonly Mark[]): Marked {
    const before = marks.at(-1)
    const text = JSON.stringify(parts)
    const known = this.#open.find((each) => each.before === before && each.text === text)
    if (known) return known
    const mark: Mark = {
      hash: hashOf(`${before?.hash}\n${role}\n${text}`),
      bytes: (before?.bytes ?? 0) + utf8Bytes(text),
      tokens: (before?.tokens ?? 0) + this.#count(text),
      ...(before?.lastSummary !== undefined && { lastSummary: before.lastSummary }),
      ...(compactionId !== undefined && { compactionId, lastSummary: marks.length }),
    }
    return { before, text, mark }
  }

  async #load({ parts }: ProviderMessage): Promise<void> {
    for (const part of parts) {
      if ((part.type !== 'file' && part.type !== 'image') || this.#files.has(part.hash)) continue
      const bytes = await this.#session.getAttachment(part.hash)
      if (bytes) this.#files.set(part.hash, bytes)
    }
  }
}

function systemOf(text: string): LanguageModelV4Message[] {
  return text === '' ? [] : [{ role: 'system', content: text }]
}
