/**
 * A session as a program holds it: one interface for each state of its life. What a state does not permit is not on its
 * interface, so it does not compile; and since the state may change behind a handle, the log refuses it all the same.
 */
import type {
  Json,
  JsonObject,
  Outcome,
  PromptSnapshot,
  QuestionInput,
  ReasoningEffort,
  RunState,
  Session,
  TaskUpdate,
  TokenBudgetInput,
} from '@holdfast/protocol'
import type { ProviderMessage } from '../context/provider-view.ts'
import type { Commands } from '../session/command.ts'
import type { Appended, TaskUpdated } from './answers.ts'
import type { FileReference, NewFile } from './attachments.ts'
import type { HostCommand } from './check-command.ts'
import type { NewMessage } from './check-input.ts'
import type { Checkpoint, NewCheckpoint } from './checkpoints.ts'
import type { ChildInput, SpawnedChild, SpawnOptions } from './child-session.ts'
import type { Comparison } from './compare.ts'
import type { ContextState } from './context-read.ts'
import type { ForkInput, ForkOptions } from './create-session.ts'
import type { Followed, FollowOptions } from './followed-batches.ts'
import type { LiveView } from './live-view.ts'
import type { MessagePage, MessagePageOptions } from './message-page.ts'
import type { HeldRun, InitializingRun, RunningRun } from './run-types.ts'
import type { EventPage, EventPageOptions, EventTextPage } from './session-read.ts'
import type { StoredFile } from './stored-file.ts'
import type { Receipt, WriteOptions } from './write-options.ts'

export interface AppendOptions extends WriteOptions {
  /**
   * What to do with input while a run is live or suspended: `enqueue` (default) takes it in after the run, `steer` at its
   * next round, `interrupt` also asks the run to stop, `reject` is `run_live`.
   */
  policy?: Commands['append']['policy']
}

export interface CloseOptions extends WriteOptions {
  outcome?: Outcome
  reason?: string
  /** Cancels a live or suspended run; without it that is `run_live`. A finalizing run is `run_live` all the same. */
  cancel?: boolean
}

/** What may always be done: reading, following, branching off, holding. */
interface Readable {
  readonly id: string
  /** The session now. */
  view(): Promise<Session>
  events(options?: EventPageOptions): Promise<EventPage>
  /** The same page as JSON texts, for sending on. */
  eventTexts(options?: EventPageOptions): Promise<EventTextPage>
  messages(options?: MessagePageOptions): Promise<MessagePage>
  /** What a model would be sent now: every tool call answered exactly once, directly after its message. */
  providerView(): Promise<ProviderMessage[]>
  /** The same, kept: each look at it costs what was written since the one before. */
  liveView(): LiveView
  /** How the context is made up: what a compaction may cover, and what covers it now. */
  contextState(): Promise<ContextState>
  follow(options?: FollowOptions): AsyncGenerator<Followed, void, void>
  /** The same, all that there is at once: for sending on. */
  followBatches(options?: FollowOptions): AsyncIterableIterator<readonly Followed[], void, void>
  compare(other: string | { readonly id: string }): Promise<Comparison>
  fork(input?: ForkInput, options?: ForkOptions): Promise<CreatedSession>
  getAttachment(hash: string): Promise<Uint8Array | undefined>
  /** The same to be read in pieces, of which one is held for a reader who stands still. */
  openAttachment(hash: string): Promise<StoredFile | undefined>
  getCheckpoint(options?: { namespace?: string; checkpointId?: string }): Promise<Checkpoint | undefined>
  /** Puts a legal hold on the session, or lifts it. While it is on, nothing of it is deleted or erased, even with force. */
  hold(held: boolean, options?: WriteOptions & { reason?: string }): Promise<Receipt>
  /** The handle of the state that the session is in now. */
  reopen(): Promise<AnySession>
}

/** What may be done until the session ends. */
interface Writable extends Readable {
  append(messages: NewMessage | readonly NewMessage[], options?: AppendOptions): Promise<Appended>
  addNote(note: Commands['addNote'], options?: WriteOptions): Promise<Receipt>
  rename(title: string | null, options?: WriteOptions & { automatic?: boolean }): Promise<Receipt>
  pin(pinned: boolean, options?: WriteOptions): Promise<Receipt>
  /** Sets the given keys; null removes one. */
  patchMetadata(values: JsonObject, options?: WriteOptions): Promise<Receipt>
  /** The whole object; null for none. */
  replaceMetadata(values: JsonObject | null, options?: WriteOptions): Promise<Receipt>
  setModel(model: { providerId?: string; model?: string }, options?: WriteOptions): Promise<Receipt>
  setSeed(seedId: string | null, options?: WriteOptions): Promise<Receipt>
  setPersona(personaId: string | null, options?: WriteOptions): Promise<Receipt>
  setEffort(effort: ReasoningEffort | null, options?: WriteOptions): Promise<Receipt>
  setInstructions(instructions: string | null, options?: WriteOptions): Promise<Receipt>
  setPrompt(prompt: PromptSnapshot, options?: WriteOptions): Promise<Receipt>
  setBudget(budget: TokenBudgetInput | null, options?: WriteOptions): Promise<Receipt>
  setTasks(
    list: { title?: string; items: readonly Record<string, unknown>[] } | null,
    options?: WriteOptions,
  ): Promise<Receipt>
  updateTask(update: TaskUpdate, options?: WriteOptions): Promise<TaskUpdated>
  ask(question: QuestionInput, options?: WriteOptions): Promise<Receipt & { questionId: string }>
  answer(questionId: string, answer: Json, options?: WriteOptions): Promise<Receipt>
  withdrawQuestion(questionId: string, options?: WriteOptions & { reason?: string }): Promise<Receipt>
  recordUsage(usage: Record<string, unknown>, options?: WriteOptions): Promise<Receipt>
  measureContext(usage: Commands['measureContext']['usage'], options?: WriteOptions): Promise<Receipt>
  trimContext(trim: Commands['trimContext'], options?: WriteOptions): Promise<Receipt>
  clearContext(options?: WriteOptions): Promise<Receipt>
  compact(compaction: Commands['applyCompaction'], options?: WriteOptions): Promise<Receipt>
  putAttachment(file: NewFile, options?: WriteOptions): Promise<FileReference>
  putCheckpoint(
    checkpoint: NewCheckpoint,
    options?: WriteOptions,
  ): Promise<Receipt & { checkpointId: string }>
  /** A session of its own under this one; doing it again with the same `childId` changes nothing. */
  spawnChild(input: ChildInput, options?: SpawnOptions): Promise<SpawnedChild>
  /** Several commands in one commit: all or nothing. */
  batch(commands: readonly HostCommand[], options?: WriteOptions): Promise<Appended>
  startRun(
    run: {
      owner: string
      ttlMs: number
      runId?: string
      answers?: string
      providerId?: string
      model?: string
      /** Only while the session is due (`sessions.listDue`) for a new run; else `illegal_transition`. */
      ifDue?: boolean
    },
    options?: WriteOptions,
  ): Promise<InitializingRun>
  /**
   * The same with a command that starts or resumes a run: input and its run in one commit. Gives the run as it is held then;
   * none when the key was used before, since whoever asked first holds it.
   */
  batchRun(commands: readonly HostCommand[], options?: WriteOptions): Promise<Appended & { run?: HeldRun }>
  close(options?: CloseOptions): Promise<ClosedSession>
}

/** Nothing was asked of it yet: its model may still be chosen. */
export interface CreatedSession extends Writable {
  readonly lifecycle: 'created'
  /** It was made before, by the same key or with the same chosen id, and may have moved on since. */
  readonly replayed: boolean
  /** The first request, without a message: locks the model unless it may switch. */
  activate(model?: { providerId?: string; model?: string }, options?: WriteOptions): Promise<ActiveSession>
}

export interface ActiveSession extends Writable {
  readonly lifecycle: 'active'
  edit(messageId: string, message: NewMessage, options?: WriteOptions): Promise<Appended>
  /** Keeps what is visible through this seq. */
  truncate(seq: number, options?: WriteOptions): Promise<Receipt>
  undo(options?: WriteOptions): Promise<Receipt>
  redo(options?: WriteOptions): Promise<Receipt>
  /** The run that is live or suspended now, under the epoch that its worker holds. */
  joinRun(epoch: number): Promise<HeldRun>
  /**
   * Commands of the run in one commit, under the epoch that its worker holds, with where the run stood after them: also again
   * with the same key, once the run is over.
   */
  writeRun(
    epoch: number,
    commands: readonly HostCommand[],
    options?: WriteOptions,
  ): Promise<Appended & { state: RunState; epoch: number }>
  /** Takes the lost lease of a live run, under a new epoch. */
  takeOverRun(lease: { owner: string; ttlMs: number }): Promise<HeldRun>
  resumeRun(
    lease: { owner: string; ttlMs: number },
    options?: WriteOptions,
  ): Promise<InitializingRun | RunningRun>
  /** Asks a live run to stop, which keeps its partial answer; cancels a suspended one. */
  stopRun(options?: WriteOptions & { reason?: string }): Promise<Receipt>
  /** Ends a suspended run. A live one is its worker's to end (`run_live`): ask it with `stopRun`. */
  cancelRun(options?: WriteOptions & { reason?: string }): Promise<Receipt>
  /**
   * Of a child whose run has ended: tells its parent what came of it and what it spent, and closes it. Again is harmless.
   * False: it is no child, or its run has not ended.
   */
  endChild(options?: { result?: string }): Promise<boolean>
  finishChild(child: Commands['finishChild'], options?: WriteOptions): Promise<Receipt>
}

/** Read and fork; and the ledger's late rows. Deleting is `sessions.delete`. */
interface Ended extends Readable {
  recordUsage(usage: Record<string, unknown>, options?: WriteOptions): Promise<Receipt>
}

export interface ClosedSession extends Ended {
  readonly lifecycle: 'closed'
}

export interface ExpiredSession extends Ended {
  readonly lifecycle: 'expired'
}

/** In whatever state it is: every operation there is. */
export interface UnseenSession
  extends Omit<CreatedSession, 'lifecycle' | 'replayed'>,
    Omit<ActiveSession, 'lifecycle'> {}

export type AnySession = CreatedSession | ActiveSession | ClosedSession | ExpiredSession
