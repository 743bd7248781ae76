/** The one class behind every interface of `session-types.ts`. It keeps an id and how its last look found the session. */
import {
  type Actor,
  HoldfastError,
  type Json,
  type JsonObject,
  type PromptSnapshot,
  type QuestionInput,
  type ReasoningEffort,
  type RunState,
  type Session,
  type TaskUpdate,
  type TokenBudgetInput,
} from '@holdfast/protocol'
import type { ProviderMessage } from '../context/provider-view.ts'
import type { Commands } from '../session/command.ts'
import { isUnfinished, type Lifecycle, lifecycleOf } from '../session/lifecycle.ts'
import { type Appended, appendedOf, dataOf, type TaskUpdated, taskUpdatedOf } from './answers.ts'
import {
  ATTACHMENT_NOTE,
  attachmentOf,
  type FileReference,
  type NewFile,
  referenceTo,
} from './attachments.ts'
import { checkLease, type HostCommand } from './check-command.ts'
import type { NewMessage } from './check-input.ts'
import { type Checkpoint, getCheckpoint, type NewCheckpoint, putCheckpoint } from './checkpoints.ts'
import {
  type ChildInput,
  endChild,
  type SpawnedChild,
  type SpawnOptions,
  spawnChild,
} from './child-session.ts'
import { type Comparison, compareSessions } from './compare.ts'
import { type ContextState, readContextState, readProviderView } from './context-read.ts'
import { type ForkInput, type ForkOptions, forkSession } from './create-session.ts'
import { follow } from './follow.ts'
import { type Followed, FollowedBatches, type FollowOptions } from './followed-batches.ts'
import { LiveView } from './live-view.ts'
import { missing } from './log-reads.ts'
import { type MessagePage, type MessagePageOptions, readMessages } from './message-page.ts'
import { getRecordBody } from './records.ts'
import type { Written } from './request.ts'
import { RunHandle } from './run-handle.ts'
import type { HeldRun, InitializingRun, RunningRun } from './run-types.ts'
import {
  type EventPage,
  type EventPageOptions,
  type EventTextPage,
  getSession,
  readEvents,
  readEventTexts,
} from './session-read.ts'
import type {
  ActiveSession,
  AnySession,
  AppendOptions,
  ClosedSession,
  CloseOptions,
  CreatedSession,
} from './session-types.ts'
import { openFile, type StoredFile } from './stored-file.ts'
import type { TenantLog } from './tenant-log.ts'
import { type Beside, type Writer, writeCommands } from './write-command.ts'
import { type Receipt, receiptOf, type WriteOptions } from './write-options.ts'

type Lease = { owner: string; ttlMs: number }

export class SessionHandle {
  readonly id: string
  readonly replayed: boolean
  readonly #log: TenantLog
  readonly #actor: Actor
  #lifecycle: Lifecycle

  constructor(log: TenantLog, actor: Actor, id: string, lifecycle: Lifecycle, replayed = false) {
    this.replayed = replayed
    this.#log = log
    this.#actor = actor
    this.id = id
    this.#lifecycle = lifecycle
  }

  get lifecycle(): Lifecycle {
    return this.#lifecycle
  }

  // Reading

  async view(): Promise<Session> {
    return (await getSession(this.#log.reads, this.id)) ?? missing(this.id)
  }

  events(options?: EventPageOptions): Promise<EventPage> {
    return readEvents(this.#log.reads, this.id, options)
  }

  eventTexts(options?: EventPageOptions): Promise<EventTextPage> {
    return readEventTexts(this.#log.reads, this.id, options)
  }

  messages(options?: MessagePageOptions): Promise<MessagePage> {
    return readMessages(this.#log, this.id, options)
  }

  providerView(): Promise<ProviderMessage[]> {
    return readProviderView(this.#log.reads, this.id)
  }

  liveView(): LiveView {
    return new LiveView(this.#log.reads, this.#log.tails, this.id)
  }

  contextState(): Promise<ContextState> {
    return readContextState(this.#log.reads, this.id)
  }

  follow(options?: FollowOptions): AsyncGenerator<Followed, void, void> {
    return follow(this.#log, this.id, options)
  }

  followBatches(options?: FollowOptions): AsyncIterableIterator<readonly Followed[], void, void> {
    return new FollowedBatches(this.#log, this.id, options)
  }

  compare(other: string | { readonly id: string }): Promise<Comparison> {
    return compareSessions(this.#log, this.id, typeof other === 'string' ? other : other.id)
  }

  getAttachment(hash: string): Promise<Uint8Array | undefined> {
    return this.#log.store.readAttachment(this.#log.tenantId, this.id, hash)
  }

  openAttachment(hash: string): Promise<StoredFile | undefined> {
    const { store, tenantId } = this.#log
    return openFile({ store, tenantId, sessionId: this.id, hash })
  }

  async getCheckpoint(
    options: { namespace?: string; checkpointId?: string } = {},
  ): Promise<Checkpoint | undefined> {
    const { threadId } = (await this.#log.reads.requireHead(this.id)).state.head
    return getCheckpoint(this.#log, threadId, options.namespace, options.checkpointId)
  }

  async reopen(): Promise<AnySession> {
    return openSession(this.#log, this.#actor, this.id)
  }

  async fork(input: ForkInput = {}, options: ForkOptions = {}): Promise<CreatedSession> {
    const written = await forkSession(this.#log, this.id, input, options, this.#actor)
    if (written.replayed) return madeBefore(this.#log, this.#actor, written.sessionId)
    return new SessionHandle(
      this.#log,
      this.#actor,
      written.sessionId,
      'created',
    ) as unknown as CreatedSession
  }

  // Messages and the path

  async append(
    messages: NewMessage | readonly NewMessage[],
    { policy, ...options }: AppendOptions = {},
  ): Promise<Appended> {
    const all = Array.isArray(messages) ? (messages as readonly NewMessage[]) : [messages as NewMessage]
    const commands = all.map((message): HostCommand => {
      return policy === undefined ? { type: 'append', message } : { type: 'append', message, policy }
    })
    return appendedOf(await this.#write(commands, options))
  }

  async edit(messageId: string, message: NewMessage, options?: WriteOptions): Promise<Appended> {
    return appendedOf(await this.#write([{ type: 'edit', messageId, message }], options))
  }

  truncate(seq: number, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'truncate', seq }, options)
  }

  undo(options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'undo' }, options)
  }

  redo(options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'redo' }, options)
  }

  addNote(note: Commands['addNote'], options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'addNote', ...note }, options)
  }

  async batch(commands: readonly HostCommand[], options?: WriteOptions): Promise<Appended> {
    return appendedOf(await this.#write(commands, options))
  }

  // What the session is

  async activate(
    model: { providerId?: string; model?: string } = {},
    options?: WriteOptions,
  ): Promise<ActiveSession> {
    await this.#write([{ type: 'activate', ...model }], options)
    this.#lifecycle = 'active'
    return this as unknown as ActiveSession
  }

  rename(
    title: string | null,
    { automatic = false, ...options }: WriteOptions & { automatic?: boolean } = {},
  ): Promise<Receipt> {
    return this.#do({ type: 'rename', title, automatic }, options)
  }

  pin(pinned: boolean, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'pin', pinned }, options)
  }

  hold(held: boolean, { reason, ...options }: WriteOptions & { reason?: string } = {}): Promise<Receipt> {
    return this.#do({ type: 'hold', held, ...(reason !== undefined && { reason }) }, options)
  }

  patchMetadata(values: JsonObject, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'patchMetadata', values }, options)
  }

  replaceMetadata(values: JsonObject | null, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'replaceMetadata', values }, options)
  }

  setModel(model: { providerId?: string; model?: string }, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'setModel', ...model }, options)
  }

  /** The session keeps the seed as it is now: later generations do not change it. */
  async setSeed(seedId: string | null, options?: WriteOptions): Promise<Receipt> {
    const seed = seedId === null ? undefined : await getRecordBody(this.#log, 'seed', seedId)
    return this.#do({ type: 'setSeed', seedId, ...(seed && { seed }) }, options)
  }

  async setPersona(personaId: string | null, options?: WriteOptions): Promise<Receipt> {
    const persona = personaId === null ? undefined : await getRecordBody(this.#log, 'persona', personaId)
    return this.#do({ type: 'setPersona', personaId, ...(persona && { persona }) }, options)
  }

  setEffort(reasoningEffort: ReasoningEffort | null, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'setEffort', reasoningEffort }, options)
  }

  setInstructions(instructions: string | null, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'setInstructions', instructions }, options)
  }

  setPrompt(prompt: PromptSnapshot, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'setPrompt', prompt }, options)
  }

  setBudget(budget: TokenBudgetInput | null, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'setBudget', budget: budget as Commands['setBudget']['budget'] }, options)
  }

  async close({ outcome, reason, cancel = false, ...options }: CloseOptions = {}): Promise<ClosedSession> {
    const why = { ...(outcome && { outcome }), ...(reason !== undefined && { reason }) }
    await this.#write([{ type: 'close', cancel, ...why }], options)
    this.#lifecycle = 'closed'
    return this as unknown as ClosedSession
  }

  // Work and context

  setTasks(
    list: { title?: string; items: readonly Record<string, unknown>[] } | null,
    options?: WriteOptions,
  ): Promise<Receipt> {
    return this.#do({ type: 'setTasks', list: list as Commands['setTasks']['list'] }, options)
  }

  async updateTask(update: TaskUpdate, options?: WriteOptions): Promise<TaskUpdated> {
    return taskUpdatedOf(update.itemId)(await this.#write([{ type: 'updateTask', update }], options))
  }

  async ask(question: QuestionInput, options?: WriteOptions): Promise<Receipt & { questionId: string }> {
    const written = await this.#write([{ type: 'askQuestion', question }], options)
    return { ...receiptOf(written), questionId: dataOf(written, 'question.asked')?.questionId ?? '' }
  }

  answer(questionId: string, answer: Json, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'answerQuestion', questionId, answer }, options)
  }

  withdrawQuestion(
    questionId: string,
    { reason, ...options }: WriteOptions & { reason?: string } = {},
  ): Promise<Receipt> {
    return this.#do(
      { type: 'withdrawQuestion', questionId, ...(reason !== undefined && { reason }) },
      options,
    )
  }

  recordUsage(usage: Record<string, unknown>, options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'recordUsage', usage: usage as never }, options)
  }

  measureContext(usage: Commands['measureContext']['usage'], options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'measureContext', usage }, options)
  }

  trimContext(trim: Commands['trimContext'], options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'trimContext', ...trim }, options)
  }

  clearContext(options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'clearContext' }, options)
  }

  compact(compaction: Commands['applyCompaction'], options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'applyCompaction', ...compaction }, options)
  }

  async putAttachment(file: NewFile, options?: WriteOptions): Promise<FileReference> {
    const attachment = attachmentOf(file.bytes)
    const reference = referenceTo(file, attachment)
    const note: HostCommand = { type: 'addNote', kind: ATTACHMENT_NOTE, data: { ...reference } }
    await this.#write([note], options, { attachments: [attachment] })
    return reference
  }

  putCheckpoint(
    checkpoint: NewCheckpoint,
    options?: WriteOptions,
  ): Promise<Receipt & { checkpointId: string }> {
    return putCheckpoint(this.#writer, checkpoint, options)
  }

  // Runs

  async startRun(
    run: Lease & {
      runId?: string
      answers?: string
      providerId?: string
      model?: string
      ifDue?: boolean
    },
    options?: WriteOptions,
  ): Promise<InitializingRun> {
    const written = await this.#write([{ type: 'startRun', ...run }], options)
    const runId = dataOf(written, 'run.started')?.runId ?? ''
    return this.#run({ runId, epoch: written.epoch ?? 0, state: 'initializing' }) as RunHandle & {
      state: 'initializing'
    }
  }

  async batchRun(
    commands: readonly HostCommand[],
    options?: WriteOptions,
  ): Promise<Appended & { run?: HeldRun }> {
    const written = await this.#write(commands, options)
    const appended = appendedOf(written)
    if (written.replayed || written.epoch === undefined) return appended
    return { ...appended, run: await this.#held(written.epoch) }
  }

  async joinRun(epoch: number): Promise<HeldRun> {
    return this.#held(epoch)
  }

  async writeRun(
    epoch: number,
    commands: readonly HostCommand[],
    options?: WriteOptions,
  ): Promise<Appended & Pick<RunHandle, 'state' | 'epoch'>> {
    const { run } = (await this.#log.reads.requireHead(this.id)).state.head
    if (!run) throw new HoldfastError('no_live_run', `session ${this.id} has no run`)
    const { runId, state, roundId } = run
    const handle = this.#run({ runId, epoch, state, roundId })
    const done = await handle.batch(commands, options)
    return { ...done, state: await this.#stateAfter(done, handle.state), epoch: handle.epoch }
  }

  /** Where the run stood after a write, which may have been long ago. */
  async #stateAfter({ replayed, lastSeq }: Receipt, now: RunState): Promise<RunState> {
    if (!replayed || lastSeq === undefined) return now
    return (await this.#log.reads.stateAt(this.id, lastSeq)).head.run?.state ?? now
  }

  async takeOverRun(given: Lease): Promise<HeldRun> {
    const lease = checkLease(given)
    const terms = { actor: this.#actor }
    const written = await this.#log.writeFresh(this.id, [{ type: 'takeOverRun', ...lease }], terms)
    return this.#held(written.epoch ?? 0)
  }

  async resumeRun(lease: Lease, options?: WriteOptions): Promise<InitializingRun | RunningRun> {
    const written = await this.#write([{ type: 'resumeRun', ...lease }], options)
    return this.#held(written.epoch ?? 0) as Promise<RunningRun>
  }

  async #held(epoch: number): Promise<HeldRun> {
    const { run } = (await this.#log.reads.requireHead(this.id)).state.head
    if (!isUnfinished(run)) throw new HoldfastError('no_live_run', `session ${this.id} has no live run`)
    const { runId, state, roundId } = run
    return this.#run({ runId, epoch, state, roundId }) as RunHandle & { state: 'running'; roundId: string }
  }

  #run(run: Pick<RunHandle, 'runId' | 'epoch' | 'state'> & { roundId?: string | undefined }): RunHandle {
    return new RunHandle(this.#log, this.#actor, { sessionId: this.id, ...run })
  }

  stopRun({ reason, ...options }: WriteOptions & { reason?: string } = {}): Promise<Receipt> {
    return this.#do({ type: 'stopRun', ...(reason !== undefined && { reason }) }, options)
  }

  cancelRun({ reason, ...options }: WriteOptions & { reason?: string } = {}): Promise<Receipt> {
    return this.#do({ type: 'cancelRun', ...(reason !== undefined && { reason }) }, options)
  }

  async spawnChild(input: ChildInput, options?: SpawnOptions): Promise<SpawnedChild> {
    return spawnChild(this.#writer, input, options)
  }

  endChild({ result }: { result?: string } = {}): Promise<boolean> {
    return endChild(this.#log, this.#actor, this.id, result)
  }

  finishChild(child: Commands['finishChild'], options?: WriteOptions): Promise<Receipt> {
    return this.#do({ type: 'finishChild', ...child }, options)
  }

  // Writing

  get #writer(): Writer {
    return { log: this.#log, sessionId: this.id, actor: this.#actor }
  }

  async #do(command: HostCommand, options: WriteOptions | undefined): Promise<Receipt> {
    return receiptOf(await this.#write([command], options))
  }

  async #write(
    commands: readonly HostCommand[],
    options: WriteOptions | undefined,
    beside?: Beside,
  ): Promise<Written> {
    const written = await writeCommands(this.#writer, commands, options, beside)
    if (this.#lifecycle === 'created' && dataOf(written, 'session.activated')) this.#lifecycle = 'active'
    if (dataOf(written, 'session.closed')) this.#lifecycle = 'closed'
    return written
  }
}

/** The handle of the state that the session is in now; `not_found` when there is none. */
export async function openSession(log: TenantLog, actor: Actor, sessionId: string): Promise<AnySession> {
  return (await opened(log, actor, sessionId, false)) as unknown as AnySession
}

/** The session that the same request made before. */
export async function madeBefore(log: TenantLog, actor: Actor, sessionId: string): Promise<CreatedSession> {
  return (await opened(log, actor, sessionId, true)) as unknown as CreatedSession
}

async function opened(log: TenantLog, actor: Actor, sessionId: string, replayed: boolean) {
  const { state } = await log.reads.requireHead(sessionId)
  return new SessionHandle(log, actor, sessionId, lifecycleOf(state.head, log.nowMs), replayed)
}
