/**
 * A live run as its worker holds it, one interface for each state: what a state does not permit is not on its
 * interface, and the log refuses it all the same. Each operation carries the run's epoch; after a takeover the old
 * worker's are refused as `stale_epoch`, and it must stop.
 */
import type { Json, JsonObject, SuspendReason, ToolOutcome } from '@holdfast/protocol'
import type { Commands } from '../session/command.ts'
import type { Appended } from './answers.ts'
import type { HostCommand } from './check-command.ts'
import type { NewMessage } from './check-input.ts'
import type { ChildInput, SpawnedChild } from './child-session.ts'
import type { DraftWriter } from './draft-writer.ts'
import type { Receipt, WriteOptions } from './write-options.ts'

export interface RunFacts {
  readonly sessionId: string
  readonly runId: string
  /** The lease's epoch, under which this handle writes. */
  readonly epoch: number
}

export interface AppendInRun extends WriteOptions {
  /** The draft whose text this message makes durable. */
  draftId?: string
}

export interface ToolResult {
  callId: string
  output: Json
  outcome?: ToolOutcome
  messageId?: string
  neverCompress?: boolean
  provider?: JsonObject
}

/** What any live run may do. */
interface LiveRun extends RunFacts {
  /** Keeps the lease; `stale_epoch` when another worker has it. */
  heartbeat(ttlMs: number): Promise<void>
  append(messages: NewMessage | readonly NewMessage[], options?: AppendInRun): Promise<Appended>
  finishTool(result: ToolResult, options?: WriteOptions): Promise<Receipt>
  closeCalls(reason: string): Promise<Receipt>
  recordUsage(usage: Commands['recordUsage']['usage'] | Record<string, unknown>): Promise<Receipt>
  reserveBudget(amount: Commands['reserveBudget']): Promise<Receipt & { reservationId: string }>
  settleBudget(reservationId: string): Promise<Receipt>
  openProviderContext(context: Commands['openProviderContext']): Promise<Receipt & { contextId: string }>
  invalidateProviderContext(reason: string): Promise<Receipt>
  applyCompaction(compaction: Commands['applyCompaction']): Promise<Receipt>
  failCompaction(failure: Commands['failCompaction']): Promise<Receipt>
  spawnChild(input: ChildInput): Promise<SpawnedChild>
  /** Text of a message in the making; without an id, of a new draft. */
  draft(draftId?: string): DraftWriter
  /**
   * After a takeover: text that the lost worker was still writing becomes a message that says it was interrupted. Nothing
   * when there is none.
   */
  keepDraft(): Promise<Appended>
  /** Several commands in one commit, all or nothing. */
  batch(commands: readonly HostCommand[], options?: WriteOptions): Promise<Appended>
  fail(error: string, code?: string): Promise<EndedRun>
}

interface Startable {
  startRound(roundId?: string): Promise<RunningRun & { readonly roundId: string }>
}

interface Suspendable {
  suspend(reason: SuspendReason, waitFor?: 'all' | 'any' | 'first_error'): Promise<SuspendedRun>
  /** Asks and suspends in one commit. */
  ask(question: Commands['askQuestion']['question']): Promise<SuspendedRun & { readonly questionId: string }>
}

interface Cancellable {
  cancel(reason?: string): Promise<EndedRun>
}

interface Completable {
  complete(): Promise<EndedRun>
}

export interface InitializingRun extends LiveRun, Startable, Suspendable, Cancellable, Completable {
  readonly state: 'initializing'
  finalize(): Promise<FinalizingRun>
}

export interface RunningRun extends LiveRun, Startable, Suspendable, Cancellable, Completable {
  readonly state: 'running'
  completeRound(): Promise<Receipt>
  finalize(): Promise<FinalizingRun>
}

/** Cannot be cancelled or suspended any more. */
export interface FinalizingRun extends LiveRun, Completable {
  readonly state: 'finalizing'
}

/** Holds no lease: anyone may resume it, under a new epoch. */
export interface SuspendedRun extends RunFacts, Cancellable {
  readonly state: 'suspended'
  resume(lease: { owner: string; ttlMs: number }): Promise<InitializingRun | RunningRun>
  fail(error: string, code?: string): Promise<EndedRun>
}

export interface EndedRun extends RunFacts {
  readonly state: 'completed' | 'failed' | 'cancelled'
}

export type HeldRun = InitializingRun | RunningRun | FinalizingRun
export type AnyRun = HeldRun | SuspendedRun | EndedRun
