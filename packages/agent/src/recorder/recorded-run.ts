/**
 * A run of somebody else's loop. Its lease is kept as long as something is heard of it; when the process dies, the log
 * is as that of any worker who died, and is repaired the same way.
 */
import type { DraftWriter, HeldRun, HostCommand, InitializingRun } from '@holdfast/core'
import { HoldfastError, isHoldfastError, type MessageInput, type UsageRecord } from '@holdfast/protocol'
import { messageOf } from '../message-of.ts'
import type { RecordableSession, Settings } from './options.ts'

export interface RecordedResult {
  callId: string
  output: Extract<HostCommand, { type: 'finishTool' }>['output']
  outcome?: 'ok' | 'error' | 'denied'
}

export interface RecordedAnswer {
  /** Absent: the model said nothing. */
  message?: MessageInput
  /** Of tools that the provider ran itself. */
  results: readonly RecordedResult[]
  usage: UsageRecord
  draftId?: string
}

type End = Extract<HostCommand, { type: 'completeRun' | 'failRun' | 'cancelRun' }>

export class RecordedRun {
  readonly #run: HeldRun
  readonly #settings: Settings
  readonly #open = new Set<string>()
  /** Every call that was made in it. */
  readonly calls: string[] = []
  readonly #stopBeating: () => void
  #round: 'none' | 'asking' | 'answered' = 'none'
  #heardAt: number
  #attempts = 0
  #error: unknown
  #isCalling = false
  #isOver = false

  constructor(run: InitializingRun, settings: Settings) {
    this.#run = run
    this.#settings = settings
    this.#heardAt = settings.clock.now()
    this.#stopBeating = settings.clock.every(Math.ceil(settings.ttlMs / 3), () => void this.#beat())
    recordedHere.set(run.runId, this)
  }

  /** A run that a recorder of this process left between two calls, as one for each request does. */
  static leftBehind(runId: unknown): RecordedRun | undefined {
    const run = recordedHere.get(String(runId))
    return run === undefined || run.#isCalling ? undefined : run
  }

  static async begin(session: RecordableSession, settings: Settings): Promise<RecordedRun> {
    const { owner, ttlMs } = settings
    return new RecordedRun(await session.startRun({ owner, ttlMs }), settings)
  }

  /** It ended, or was taken from us. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Ids of calls whose results nobody told yet. */
  get openCalls(): ReadonlySet<string> {
    return this.#open
  }

  get runId(): string {
    return this.#run.runId
  }

  nextAttemptId(): string {
    this.#attempts += 1
    return `${this.#run.runId}.${this.#attempts}`
  }

  draft(): DraftWriter {
    return this.#run.draft()
  }

  /** Something came of the call that is under way. */
  heard(): void {
    this.#heardAt = this.#settings.clock.now()
  }

  /** A model call begins: in a new round, or once more in the round whose attempt failed. */
  async beginCall(results: readonly RecordedResult[]): Promise<void> {
    const turning = this.#round === 'answered' ? [{ type: 'completeRound' as const }] : []
    const starting = this.#round === 'asking' ? [] : [{ type: 'startRound' as const }]
    await this.#write([...this.#finishing(results), ...turning, ...starting])
    this.#open.clear()
    this.#round = 'asking'
    this.#isCalling = true
    this.#error = undefined
  }

  /** The answer and its cost in one commit; without open calls the run ends in it. */
  async answered({ message, results, usage, draftId }: RecordedAnswer): Promise<void> {
    this.#isCalling = false
    const calls = (message?.parts ?? []).flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
    const open = calls.filter((callId) => !results.some((result) => result.callId === callId))
    const append: HostCommand[] = message
      ? [{ type: 'append', message, ...(draftId !== undefined && { draftId }) }]
      : []
    const ending: HostCommand[] = open.length > 0 ? [] : [{ type: 'completeRound' }, { type: 'completeRun' }]
    const commands = [
      ...append,
      { type: 'recordUsage' as const, usage },
      ...results.map(finishTool),
      ...ending,
    ]
    await this.#write(commands)
    for (const callId of open) this.#open.add(callId)
    this.calls.push(...open)
    this.#round = open.length > 0 ? 'answered' : 'none'
  }

  /** The attempt failed and may be made again. */
  async attemptFailed(usage: UsageRecord, error: unknown): Promise<void> {
    this.#isCalling = false
    this.#error = error
    await this.#write([{ type: 'recordUsage', usage }])
  }

  /** The attempt was the last; text of its draft is kept as an interrupted message. */
  async attemptEnded(usage: UsageRecord, end: End): Promise<void> {
    await this.#write([{ type: 'recordUsage', usage }, end])
  }

  async finish(result: RecordedResult): Promise<void> {
    if (!this.#open.has(result.callId)) return
    await this.#write([finishTool(result)])
    this.#open.delete(result.callId)
  }

  /** Ends a run that is not in the middle of a call. Calls without a result are closed as unknown. */
  async end(end: End = { type: 'completeRun' }, results: readonly RecordedResult[] = []): Promise<void> {
    const round: HostCommand[] = this.#round === 'none' ? [] : [{ type: 'completeRound' }]
    const isComplete = end.type === 'completeRun'
    await this.#write([...this.#finishing(results), ...(isComplete ? round : []), end])
  }

  /** Nobody goes on with it: it ends as its last call did. */
  leave(results: readonly RecordedResult[] = []): Promise<void> {
    return this.end(this.#error === undefined ? { type: 'completeRun' } : failure(this.#error), results)
  }

  /** Results of the open calls; those that have none are closed. */
  #finishing(results: readonly RecordedResult[]): HostCommand[] {
    const told = results.filter(({ callId }) => this.#open.has(callId))
    const closing: HostCommand[] =
      told.length < this.#open.size
        ? [{ type: 'closeCalls', reason: 'the loop went on without a result' }]
        : []
    return [...told.map(finishTool), ...closing]
  }

  async #write(commands: readonly HostCommand[]): Promise<void> {
    if (this.#isOver)
      throw new HoldfastError(
        'no_live_run',
        `run ${this.runId} that was recorded is over; its loop must stop`,
      )
    this.heard()
    if (commands.length === 0) return
    try {
      await this.#run.batch(commands)
    } catch (error) {
      if (isTaken(error)) this.#stop()
      throw error
    }
    if (commands.some(({ type }) => ends.includes(type))) this.#stop()
  }

  #stop(): void {
    this.#isOver = true
    recordedHere.delete(this.runId)
    this.#stopBeating()
  }

  /** Keeps the lease, or ends what nothing is heard of any more. */
  async #beat(): Promise<void> {
    try {
      const silence = this.#settings.clock.now() - this.#heardAt
      const patience = this.#error === undefined ? this.#settings.idleMs : this.#settings.ttlMs
      if (silence < patience) await this.#run.heartbeat(this.#settings.ttlMs)
      else await this.end(failure(this.#error ?? silent(silence)))
    } catch (error) {
      // Taken over: the next write says so. Anything else: the next beat tries again, as long as the lease holds.
      if (isTaken(error)) this.#stop()
    }
  }
}

/** Runs that recorders of this process hold, by their id. */
const recordedHere = new Map<string, RecordedRun>()

const ends: readonly string[] = ['completeRun', 'failRun', 'cancelRun']

/** Another has the run, or it has ended. */
export function isTaken(error: unknown): boolean {
  return isHoldfastError(error, 'stale_epoch') || isHoldfastError(error, 'no_live_run')
}

export function failure(error: unknown): Extract<HostCommand, { type: 'failRun' }> {
  const message = messageOf(error)
  const code = isHoldfastError(error) ? error.code : 'model_failed'
  return { type: 'failRun', error: message.slice(0, longestError).toWellFormed(), code }
}

const longestError = 8_192

function silent(ms: number): HoldfastError {
  return new HoldfastError('no_live_run', `nothing was heard of the loop for ${ms} ms`)
}

function finishTool(result: RecordedResult): HostCommand {
  return { type: 'finishTool', ...result }
}
