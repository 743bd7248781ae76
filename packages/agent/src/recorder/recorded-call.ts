/** One model call of a recorded run, from its beginning until what came of it is in the log: an attempt of the ledger. */
import type { DraftWriter } from '@holdfast/core'
import type { MessageInput, MessagePart, UsageRecord } from '@holdfast/protocol'
import type { PromptUsage } from '../model/prompt-usage.ts'
import { type Attempt, type Counted, ledgerRow } from './ledger-row.ts'
import type { RecordableSession, Settings } from './options.ts'
import { failure, isTaken, type RecordedResult, type RecordedRun } from './recorded-run.ts'

export interface CallAbout {
  providerId?: string
  model?: string
  /** Everything that the model reads, as text. Asked for only when its tokens have to be guessed. */
  prompt?: () => string
}

export interface CallAnswer {
  /** Empty: the model said nothing. */
  parts: MessagePart[]
  /** Of tools that the provider ran itself. */
  results?: readonly RecordedResult[]
  finish?: MessageInput['finish']
  /** As the provider counted; absent, it is guessed and marked as estimated. */
  usage?: Counted
}

export class RecordedCall {
  readonly #session: RecordableSession
  readonly #run: RecordedRun
  readonly #settings: Settings
  readonly #about: CallAbout
  readonly #attempt: Omit<Attempt, 'status'>
  readonly #answered: () => void
  #draft: DraftWriter | undefined
  #said = { text: '', reasoning: '' }
  #prompt: PromptUsage | undefined
  #isOver = false

  constructor(
    session: RecordableSession,
    run: RecordedRun,
    settings: Settings,
    about: CallAbout,
    answered: () => void,
  ) {
    this.#session = session
    this.#run = run
    this.#settings = settings
    this.#about = about
    this.#answered = answered
    const { providerId, model } = about
    this.#attempt = {
      ...{ attemptId: run.nextAttemptId(), startedAt: settings.clock.now() },
      ...(providerId !== undefined && { providerId }),
      ...(model !== undefined && { model }),
    }
  }

  /** True once something was said. */
  get hasBegun(): boolean {
    return this.#said.text.length + this.#said.reasoning.length > 0
  }

  /** Text as it streams: kept until the answer takes its place, or as an interrupted message when none does. */
  text(delta: string): void {
    this.#write('text', delta)
  }

  reasoning(delta: string): void {
    this.#write('reasoning', delta)
  }

  /** Output that is no text for a reader, as the arguments of a tool: counted when tokens have to be guessed. */
  other(delta: string): void {
    this.#said.text += delta
    this.#run.heard()
  }

  /** What the provider said of the prompt, before its answer. */
  promptCounted(usage: PromptUsage): void {
    this.#prompt = usage
  }

  /** What the tokens were, as far as we can tell. */
  guess(): Counted {
    const { countTokens } = this.#settings
    const reasoningTokens = countTokens(this.#said.reasoning)
    return {
      ...(this.#prompt ?? { promptTokens: countTokens(this.#about.prompt?.() ?? '') }),
      completionTokens: countTokens(this.#said.text) + reasoningTokens,
      ...{ reasoningTokens, estimated: true },
    }
  }

  /** The message and its cost, in one commit. Without calls that wait for a result the run is completed in it. */
  async answer({ parts, results = [], finish = 'complete', usage }: CallAnswer): Promise<void> {
    if (!this.#over()) return
    const row = this.#row('ok', usage ?? this.#guessOf(parts))
    const message = parts.length > 0 && { message: { role: 'assistant' as const, parts, finish } }
    const draft = message && this.#draft && { draftId: this.#draft.draftId }
    await this.#orElseUsage(row, () => this.#run.answered({ ...message, ...draft, results, usage: row }))
    if (finish === 'complete' || finish === 'length') this.#answered()
  }

  /** It failed. `retry`: the loop may call again; without it the run fails. */
  async fail(
    error: unknown,
    { retry = false, usage }: { retry?: boolean; usage?: Counted } = {},
  ): Promise<void> {
    if (!this.#over()) return
    const row = this.#row('failed', usage ?? this.guess())
    await this.#unlessTaken(row, () =>
      retry ? this.#run.attemptFailed(row, error) : this.#run.attemptEnded(row, failure(error)),
    )
  }

  /** Somebody stopped it: the run is cancelled, what was said is kept. */
  async abort(reason: string, usage?: Counted): Promise<void> {
    if (!this.#over()) return
    const row = this.#row('aborted', usage ?? this.guess())
    await this.#unlessTaken(row, () => this.#run.attemptEnded(row, { type: 'cancelRun', reason }))
  }

  #write(kind: 'text' | 'reasoning', delta: string): void {
    this.#said[kind] += delta
    this.#run.heard()
    this.#draft ??= this.#run.draft()
    this.#draft.write({ kind, text: delta })
  }

  #guessOf(parts: readonly MessagePart[]): Counted {
    if (!this.hasBegun) this.#said.text = JSON.stringify(parts)
    return this.guess()
  }

  #row(status: Attempt['status'], counted: Counted): UsageRecord {
    return ledgerRow({ ...this.#attempt, status }, counted, this.#settings)
  }

  /** False: it was over before. */
  #over(): boolean {
    const isFirst = !this.#isOver
    this.#isOver = true
    return isFirst
  }

  /** The call was made and costs what it costs, also when its run was taken from us meanwhile. */
  async #orElseUsage(usage: UsageRecord, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (isTaken(error)) await this.#session.recordUsage({ ...usage })
      throw error
    }
  }

  /** Who took the run has ended it. */
  async #unlessTaken(usage: UsageRecord, write: () => Promise<void>): Promise<void> {
    try {
      await this.#orElseUsage(usage, write)
    } catch (error) {
      if (!isTaken(error)) throw error
    }
  }
}
