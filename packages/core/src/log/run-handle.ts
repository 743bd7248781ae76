/** The one class behind every interface of `run-types.ts`. */
import {
  type Actor,
  HoldfastError,
  id,
  parseInput,
  type RunState,
  type SuspendReason,
} from '@holdfast/protocol'
import type { Commands } from '../session/command.ts'
import { type Appended, appendedOf, dataOf } from './answers.ts'
import { checkTtl, type HostCommand } from './check-command.ts'
import type { NewMessage } from './check-input.ts'
import { type ChildInput, type SpawnedChild, spawnChild } from './child-session.ts'
import { DraftWriter } from './draft-writer.ts'
import { interruptedMessage } from './recover.ts'
import type { Written } from './request.ts'
import type {
  AppendInRun,
  EndedRun,
  FinalizingRun,
  RunFacts,
  RunningRun,
  SuspendedRun,
  ToolResult,
} from './run-types.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Beside, writeCommands } from './write-command.ts'
import { type Receipt, receiptOf, type WriteOptions } from './write-options.ts'

export class RunHandle implements RunFacts {
  readonly sessionId: string
  readonly runId: string
  #epoch: number
  #state: RunState
  readonly #log: TenantLog
  readonly #actor: Actor
  /** Drafts of this handle: the next assistant message or the run's end takes their place. */
  #drafts: readonly DraftWriter[] = []
  /** Drafts that a write waits for. */
  #flushing: Promise<unknown> | undefined
  roundId: string | undefined
  questionId: string | undefined

  constructor(
    log: TenantLog,
    actor: Actor,
    run: { sessionId: string; runId: string; epoch: number; state: RunState; roundId?: string | undefined },
  ) {
    this.#log = log
    this.#actor = actor
    this.sessionId = run.sessionId
    this.runId = run.runId
    this.roundId = run.roundId
    this.#epoch = run.epoch
    this.#state = run.state
  }

  get epoch(): number {
    return this.#epoch
  }

  get state(): RunState {
    return this.#state
  }

  async heartbeat(ttlMs: number): Promise<void> {
    const { store, tenantId } = this.#log
    if (await store.renewLease(tenantId, this.sessionId, this.#epoch, checkTtl(ttlMs))) return
    throw new HoldfastError(
      'stale_epoch',
      `run ${this.runId} of session ${this.sessionId} is not held under epoch ${this.#epoch} any more; this worker must stop`,
      { details: { epoch: this.#epoch } },
    )
  }

  async append(
    messages: NewMessage | readonly NewMessage[],
    { draftId, ...options }: AppendInRun = {},
  ): Promise<Appended> {
    const all = Array.isArray(messages) ? (messages as readonly NewMessage[]) : [messages as NewMessage]
    const last = all.length - 1
    const commands = all.map((message, i): HostCommand => {
      const command = { type: 'append' as const, message }
      return i === last && draftId !== undefined ? { ...command, draftId } : command
    })
    return appendedOf(await this.#write(commands, options))
  }

  async finishTool(result: ToolResult, options?: WriteOptions): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'finishTool', ...result }], options))
  }

  async closeCalls(reason: string): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'closeCalls', reason }]))
  }

  async recordUsage(usage: Record<string, unknown>): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'recordUsage', usage: usage as never }]))
  }

  async reserveBudget(amount: Commands['reserveBudget']): Promise<Receipt & { reservationId: string }> {
    const written = await this.#write([{ type: 'reserveBudget', ...amount }])
    return { ...receiptOf(written), reservationId: dataOf(written, 'budget.reserved')?.reservationId ?? '' }
  }

  async settleBudget(reservationId: string): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'settleBudget', reservationId }]))
  }

  async openProviderContext(
    context: Commands['openProviderContext'],
  ): Promise<Receipt & { contextId: string }> {
    const written = await this.#write([{ type: 'openProviderContext', ...context }])
    return { ...receiptOf(written), contextId: dataOf(written, 'provider_context.opened')?.contextId ?? '' }
  }

  async invalidateProviderContext(reason: string): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'invalidateProviderContext', reason }]))
  }

  async applyCompaction(compaction: Commands['applyCompaction']): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'applyCompaction', ...compaction }]))
  }

  async failCompaction(failure: Commands['failCompaction']): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'failCompaction', ...failure }]))
  }

  spawnChild(input: ChildInput): Promise<SpawnedChild> {
    return spawnChild(
      { log: this.#log, sessionId: this.sessionId, actor: this.#actor, epoch: this.#epoch },
      input,
    )
  }

  draft(draftId?: string): DraftWriter {
    const chosen = draftId === undefined ? this.#log.engine.ids.next() : parseInput(id, draftId, 'draftId')
    const { sessionId, runId } = this
    const draft = new DraftWriter(this.#log, { sessionId, runId, epoch: this.#epoch }, chosen)
    this.#drafts = [...this.#drafts, draft]
    return draft
  }

  async keepDraft(): Promise<Appended> {
    const { store, tenantId } = this.#log
    const drafts = await store.listDrafts(tenantId, this.sessionId)
    const commands = await interruptedMessage(this.#log, this.sessionId, this.runId, drafts)
    const dropDrafts = drafts.map(({ draftId }) => draftId)
    return appendedOf(await this.#writeNow(commands, undefined, { dropDrafts }))
  }

  async batch(commands: readonly HostCommand[], options?: WriteOptions): Promise<Appended> {
    return appendedOf(await this.#write(commands, options))
  }

  async startRound(roundId?: string): Promise<RunningRun & { readonly roundId: string }> {
    await this.#write([roundId === undefined ? { type: 'startRound' } : { type: 'startRound', roundId }])
    return this as RunHandle & { state: 'running'; roundId: string }
  }

  async completeRound(): Promise<Receipt> {
    return receiptOf(await this.#write([{ type: 'completeRound' }]))
  }

  async suspend(reason: SuspendReason, waitFor?: 'all' | 'any' | 'first_error'): Promise<SuspendedRun> {
    await this.#write([{ type: 'suspendRun', reason, ...(waitFor && { waitFor }) }])
    return this as RunHandle & { state: 'suspended' }
  }

  async ask(
    question: Commands['askQuestion']['question'],
  ): Promise<SuspendedRun & { readonly questionId: string }> {
    await this.#write([{ type: 'askQuestion', question }])
    return this as RunHandle & { state: 'suspended'; questionId: string }
  }

  async resume(lease: { owner: string; ttlMs: number }): Promise<RunningRun> {
    await this.#write([{ type: 'resumeRun', ...lease }])
    return this as RunHandle & { state: 'running' }
  }

  async finalize(): Promise<FinalizingRun> {
    await this.#write([{ type: 'finalizeRun' }])
    return this as RunHandle & { state: 'finalizing' }
  }

  async complete(): Promise<EndedRun> {
    return this.#end({ type: 'completeRun' })
  }

  async fail(error: string, code?: string): Promise<EndedRun> {
    return this.#end({ type: 'failRun', error, ...(code !== undefined && { code }) })
  }

  async cancel(reason?: string): Promise<EndedRun> {
    return this.#end({ type: 'cancelRun', ...(reason !== undefined && { reason }) })
  }

  async #end(command: HostCommand): Promise<EndedRun> {
    await this.#write([command])
    return this as RunHandle & { state: EndedRun['state'] }
  }

  /** Ends the drafts that the commands end, once their text is durable. When they are refused, the drafts go on. */
  async #write(commands: readonly HostCommand[], options?: WriteOptions): Promise<Written> {
    const isAnswered = hasCommand(commands, isAnswer)
    const ending = isAnswered || hasCommand(commands, endsLease) ? this.#drafts : []
    const flushing = ending.flatMap((draft) => draft.end() ?? [])
    if (this.#flushing || flushing.length > 0) await this.#inTurn(flushing)
    try {
      const dropDrafts = isAnswered ? ending.map(({ draftId }) => draftId) : []
      const written = await this.#writeNow(commands, options, { dropDrafts })
      this.#drafts = this.#drafts.filter((draft) => !ending.includes(draft))
      return written
    } catch (error) {
      for (const draft of ending) draft.reopen()
      throw error
    }
  }

  /** Writes go in the order in which they were asked for, also when one waits for a draft. */
  async #inTurn(flushing: readonly Promise<void>[]): Promise<void> {
    const turn = Promise.all([this.#flushing, ...flushing])
    this.#flushing = turn
    await turn
    if (this.#flushing === turn) this.#flushing = undefined
  }

  async #writeNow(
    commands: readonly HostCommand[],
    options: WriteOptions | undefined,
    beside: Beside,
  ): Promise<Written> {
    const { sessionId } = this
    const held = this.#state !== 'suspended' && !isEnded(this.#state)
    const writer = { log: this.#log, sessionId, actor: this.#actor, ...(held && { epoch: this.#epoch }) }
    const written = await writeCommands(writer, commands, options, beside)
    this.#follow(written)
    return written
  }

  /** Where the run stands after its own events. */
  #follow({ events, epoch }: Written): void {
    if (epoch !== undefined) this.#epoch = epoch
    for (const { type, data } of events) {
      switch (type) {
        case 'round.started':
          this.#state = 'running'
          this.roundId = (data as { roundId: string }).roundId
          break
        case 'round.completed':
          this.roundId = undefined
          break
        case 'question.asked':
          this.questionId = (data as { questionId: string }).questionId
          break
        case 'run.resumed':
          this.#state = this.roundId === undefined ? 'initializing' : 'running'
          break
        case 'run.suspended':
        case 'run.finalizing':
        case 'run.completed':
        case 'run.failed':
        case 'run.cancelled':
          this.#state = type.slice('run.'.length) as RunState
          break
      }
    }
  }
}

/** The commands are not checked yet. */
function hasCommand(commands: readonly HostCommand[], is: (command: HostCommand) => boolean): boolean {
  return Array.isArray(commands) && commands.some((command) => command != null && is(command))
}

function isAnswer(command: HostCommand): boolean {
  return command.type === 'append' && command.message?.role === 'assistant'
}

const leaseEnds: readonly string[] = ['suspendRun', 'askQuestion', 'completeRun', 'failRun', 'cancelRun']

function endsLease({ type }: HostCommand): boolean {
  return leaseEnds.includes(type)
}

function isEnded(state: RunState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled'
}
