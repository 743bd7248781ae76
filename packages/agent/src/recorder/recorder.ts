/**
 * Writes down what somebody else's loop does: runs, rounds, tool calls and what they cost. A loop of the AI SDK is
 * recorded by wrapping its model, any other by saying what happens. One recorder is for one conversation; calls of it
 * follow each other.
 */
import type { LanguageModelV4Middleware, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { NewMessage } from '@holdfast/core'
import { isHoldfastError, type Message } from '@holdfast/protocol'
import type { Telemetry } from 'ai'
import { recorderMiddleware } from './middleware.ts'
import { type RecordableSession, type RecorderOptions, type Settings, settingsOf } from './options.ts'
import { gistOf, historyOf, inputOf, storedGist, tailOf, type UserMessage } from './prompt.ts'
import { type CallAbout, RecordedCall } from './recorded-call.ts'
import { failure, isTaken, type RecordedResult, RecordedRun } from './recorded-run.ts'
import { recorderTelemetry } from './telemetry.ts'
import { type RecordedTurn, turnCommands } from './turn.ts'

/** Records into the session: `wrapLanguageModel({ model, middleware: recordTo(session).middleware })`. */
export function recordTo(session: RecordableSession, options: RecorderOptions = {}): Recorder {
  return new Recorder(session, settingsOf(options))
}

export class Recorder implements AsyncDisposable {
  readonly #session: RecordableSession
  readonly #settings: Settings
  #run: RecordedRun | undefined
  /** What the user said and nobody answered. */
  #pending: string[] = []
  /** Calls of the session's last message, answered or not: a result for any of them may come late. */
  #lastCalls: readonly string[] = []
  #hasHistory = true
  #looked: Promise<void> | undefined

  constructor(session: RecordableSession, settings: Settings) {
    this.#session = session
    this.#settings = settings
  }

  /** For `wrapLanguageModel`. A tool runs only after its call is in the log. */
  get middleware(): LanguageModelV4Middleware {
    return recorderMiddleware(this, (file) => this.#session.putAttachment(file))
  }

  /**
   * For `telemetry: { integrations }` of a call, beside the middleware: results are written as they come instead of at
   * the next call, and a run that the loop leaves early ends then, instead of when nothing is heard of it.
   */
  get telemetry(): Telemetry {
    return recorderTelemetry(this)
  }

  /** What the user said. It ends a run that still waits for its next call. */
  async input(input: string | NewMessage | readonly NewMessage[]): Promise<void> {
    await this.#look()
    const messages = typeof input === 'string' ? [said(input)] : [input].flat()
    await this.#take(messages)
  }

  /** A model call begins, in a round of its own; results that the log does not have yet go before it. */
  async call(about: CallAbout = {}, results: readonly RecordedResult[] = []): Promise<RecordedCall> {
    await this.#look()
    const run = await this.#begun(results)
    return new RecordedCall(this.#session, run, this.#settings, about, () => {
      this.#pending = []
    })
  }

  /** The same for a prompt: what is new in it is written first. */
  async callFor(prompt: LanguageModelV4Prompt, about: CallAbout): Promise<RecordedCall> {
    await this.#look()
    const { before, users, results } = tailOf(prompt)
    if (!this.#hasHistory) await this.#import(before)
    const fresh = users.slice(this.#alreadyTaken(users))
    if (fresh.length === 0) return this.call(about, results)
    await this.#settle(results)
    await this.#take(await Promise.all(fresh.map((message) => inputOf(message, this.#attach))))
    return this.call(about)
  }

  /** What a tool gave. A result for a call that is closed already is kept beside it. */
  async result(result: RecordedResult): Promise<void> {
    await this.#look()
    const run = this.#live
    if (run?.openCalls.has(result.callId)) await this.#orLate(() => run.finish(result), [result])
    else if (!run) await this.#late([result])
  }

  /** A turn that is over: all of it in one commit. */
  async recordTurn(turn: RecordedTurn): Promise<void> {
    await this.#session.batch(turnCommands(turn, this.#settings))
  }

  /** The loop has ended. A run whose calls wait for a result from outside goes on waiting. */
  async end(): Promise<void> {
    const run = this.#live
    if (run?.openCalls.size === 0) await this.#unlessTaken(() => run.end())
  }

  async fail(error: unknown): Promise<void> {
    const run = this.#live
    if (run) await this.#unlessTaken(() => run.end(failure(error)))
  }

  async cancel(reason: string): Promise<void> {
    const run = this.#live
    if (run) await this.#unlessTaken(() => run.end({ type: 'cancelRun', reason }))
  }

  /** Cancels the run that is still open, if there is one. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel('the recorder was closed')
  }

  readonly #attach = (file: Parameters<RecordableSession['putAttachment']>[0]) =>
    this.#session.putAttachment(file)

  get #live(): RecordedRun | undefined {
    return this.#run?.isOver === false ? this.#run : undefined
  }

  /** A look at the end of the session, once: others may have recorded before, here or in another process. */
  #look(): Promise<void> {
    this.#looked ??= this.#readEnd().catch((error: unknown) => {
      this.#looked = undefined
      throw error
    })
    return this.#looked
  }

  async #readEnd(): Promise<void> {
    const { run } = await this.#session.view()
    this.#run = RecordedRun.leftBehind(run?.runId)
    const { messages } = await this.#session.messages({ limit: 50 })
    const answered = messages.findLastIndex(isAnswer)
    const asked = messages.slice(answered + 1).filter(({ role }) => role === 'user')
    this.#pending = asked.map(storedGist)
    this.#hasHistory = messages.length > 0
    const last = messages.findLast(({ role }) => role === 'assistant')
    this.#lastCalls = (last?.parts ?? []).flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
  }

  async #import(before: LanguageModelV4Prompt): Promise<void> {
    const commands = await historyOf(before, this.#attach)
    for (let at = 0; at < commands.length; at += importedAtOnce)
      await this.#session.batch(commands.slice(at, at + importedAtOnce))
    this.#hasHistory = true
  }

  #alreadyTaken(users: readonly UserMessage[]): number {
    const different = users.findIndex((message, i) => gistOf(message) !== this.#pending[i])
    return different === -1 ? users.length : different
  }

  /** The user speaks anew: the run before is over. */
  async #settle(results: readonly RecordedResult[]): Promise<void> {
    const run = this.#live
    if (run) await this.#orLate(() => run.leave(results), results)
    else await this.#late(results)
  }

  async #take(messages: readonly NewMessage[]): Promise<void> {
    const write = () => this.#session.append(messages, { policy: 'reject' })
    await this.#afterLostRun(write)
    this.#pending.push(...messages.map(({ parts }) => storedGist({ parts: parts as Message['parts'] })))
    this.#hasHistory = true
  }

  async #begun(results: readonly RecordedResult[]): Promise<RecordedRun> {
    const run = this.#live
    if (run) {
      try {
        await run.beginCall(results)
        return run
      } catch (error) {
        if (!isTaken(error)) throw error
      }
    }
    await this.#late(results)
    const begun = await this.#afterLostRun(() => RecordedRun.begin(this.#session, this.#settings))
    this.#run = begun
    await begun.beginCall([])
    return begun
  }

  /** A run that a recorder before this one left is ended; one whose worker died is ended as recovery would end it, and then the write is made again. */
  async #afterLostRun<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      if (!isHoldfastError(error, 'run_live')) throw error
      const left = RecordedRun.leftBehind(error.details.runId)
      await (left ? left.leave() : this.#endLostRun(error))
      return write()
    }
  }

  async #endLostRun(live: Error): Promise<void> {
    const { owner, ttlMs } = this.#settings
    try {
      const session = await this.#session.reopen()
      if (!('takeOverRun' in session)) throw live
      const run = await session.takeOverRun({ owner, ttlMs })
      await run.batch([
        { type: 'closeCalls', reason: 'recovery' },
        { type: 'failRun', error: 'the worker of this run was lost', code: 'worker_lost' },
      ])
    } catch (error) {
      // Its worker lives, or it is suspended: that is for its own worker, and the write stays refused.
      throw isHoldfastError(error, 'lease_held') || isHoldfastError(error, 'no_live_run') ? live : error
    }
  }

  async #orLate(write: () => Promise<void>, results: readonly RecordedResult[]): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isTaken(error)) throw error
      await this.#late(results)
    }
  }

  /** For calls of a run that is over: the first answer stays, a later one is kept as a note. */
  async #late(results: readonly RecordedResult[]): Promise<void> {
    const known = [...this.#lastCalls, ...(this.#run?.calls ?? [])]
    const late = results.filter(({ callId }) => known.includes(callId))
    if (late.length === 0) return
    const finishing = late.map((result) => ({ type: 'finishTool' as const, ...result }))
    await this.#afterLostRun(() => this.#session.batch(finishing))
  }

  async #unlessTaken(write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      if (!isTaken(error)) throw error
    }
  }
}

/** Commands of one commit; each is an event or a few. */
const importedAtOnce = 400

function said(text: string): NewMessage {
  return { role: 'user', parts: [{ type: 'text', text }] }
}

/** What was interrupted or failed leaves its question open. */
function isAnswer({ role, finish }: Message): boolean {
  return role === 'assistant' && finish !== 'interrupted' && finish !== 'error'
}
