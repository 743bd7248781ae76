/**
 * The prompt and its size as they were last made: a longer view begins with what a shorter one was, so each look costs what
 * was added. Only the last step of a view may still change.
 */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { LiveView, ProviderMessage, UnseenSession } from '@holdfast/core'
import { addMessage } from '../model/prompt.ts'
import type { CountTokens } from './count.ts'

export interface Window {
  prompt: LanguageModelV4Prompt
  tokens: number
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
  #tokens = 0

  constructor(session: UnseenSession, count: CountTokens) {
    this.#session = session
    this.#view = session.liveView()
    this.#count = count
  }

  async read(): Promise<Window> {
    const view = await this.#view.read()
    if (this.#view.generation !== this.#generation) this.#begin()
    const open = Math.max(
      0,
      view.findLastIndex(({ role }) => role === 'assistant'),
    )
    for (const message of view.slice(this.#kept)) await this.#load(message)
    for (; this.#kept < open; this.#kept++)
      this.#tokens += this.#add(this.#prompt, view[this.#kept] as ProviderMessage)
    const last: LanguageModelV4Message[] = []
    const tokens = view.slice(open).reduce((sum, message) => sum + this.#add(last, message), this.#tokens)
    return { prompt: [...this.#prompt, ...last], tokens }
  }

  #begin(): void {
    this.#generation = this.#view.generation
    this.#kept = 0
    this.#prompt = []
    this.#tokens = 0
  }

  #add(prompt: LanguageModelV4Message[], message: ProviderMessage): number {
    addMessage(prompt, message, { names: this.#names, files: this.#files })
    return this.#count(JSON.stringify(message.parts))
  }

  async #load({ parts }: ProviderMessage): Promise<void> {
    for (const part of parts) {
      if ((part.type !== 'file' && part.type !== 'image') || this.#files.has(part.hash)) continue
      const bytes = await this.#session.getAttachment(part.hash)
      if (bytes) this.#files.set(part.hash, bytes)
    }
  }
}
