/** Holdfast for a host program: open a store, make sessions, write to them, read and follow them. */

// Pure functions over what a session gives: views of the source systems' records, the context, the ledger.
export { type ResolvedBudget, resolveBudget } from './context/budget.ts'
export { type ProviderMessage, providerView } from './context/provider-view.ts'
export { formatTaskListForPrompt } from './context/tasks-prompt.ts'
export { compactOversizedToolMessages, shortenOutput } from './context/tool-output.ts'
export { contextView, type ViewItem, viewStateOf } from './context/view.ts'
export { type Cost, priceOf, rate } from './ledger/cost.ts'
export type { GenaiMatch } from './ledger/genai-patterns.ts'
export {
  type ConvertedPrices,
  type GenaiConstraint,
  type GenaiModel,
  type GenaiPrices,
  type GenaiProvider,
  type GenaiTiers,
  priceBookOf,
} from './ledger/genai-prices.ts'
export { overridePrices } from './ledger/override-prices.ts'
export type { PriceList } from './ledger/price-list.ts'
export { sumUsage } from './ledger/totals.ts'
export type { Appended, TaskUpdated } from './log/answers.ts'
export type { FileReference, NewFile } from './log/attachments.ts'
export type { HostCommand, HostCommandType } from './log/check-command.ts'
export type { NewMessage } from './log/check-input.ts'
export { checkKey } from './log/check-input.ts'
export type { Checkpoint, NewCheckpoint } from './log/checkpoints.ts'
export type { ChildInput, SpawnedChild, SpawnOptions } from './log/child-session.ts'
export type { CommitListener, CommittedBatch, CommittedWrite } from './log/committed-batch.ts'
export type { Branch, Comparison } from './log/compare.ts'
export type { ContextState } from './log/context-read.ts'
export {
  type CopyFailure,
  type CopyOptions,
  type CopyProgress,
  type CopySummary,
  copyStore,
} from './log/copy/copy-store.ts'
export type { ForkInput, ForkOptions } from './log/create-session.ts'
export type { Deleted, DeleteOptions } from './log/delete-session.ts'
export type { DoctorOptions } from './log/doctor/doctor.ts'
export {
  type Finding,
  type FindingCode,
  findingCatalogue,
  type RepairWay,
  type Severity,
} from './log/doctor/findings.ts'
export type { Repaired, RepairOptions } from './log/doctor/repair.ts'
export type { DraftWriter } from './log/draft-writer.ts'
export type { Followed, FollowedDraft, FollowedReset, FollowOptions } from './log/followed-batches.ts'
export { FollowedEvent } from './log/followed-event.ts'
export { type Holdfast, type OpenOptions, openHoldfast } from './log/holdfast.ts'
export type { ListOptions, SessionFilters, SessionPage } from './log/list-sessions.ts'
export type { LiveView } from './log/live-view.ts'
export type { MessagePage, MessagePageOptions } from './log/message-page.ts'
export type { PriceBooks } from './log/price-books.ts'
export type { Pruned, PruneOptions, Spared } from './log/prune.ts'
export type { ErasureReceipt, Finality } from './log/receipt.ts'
export type { PutOptions, Records, StoredRecord } from './log/records.ts'
export type { Recovered, RecoverOptions } from './log/recover.ts'
export type { Rerated, ReratedCost } from './log/rerate.ts'
export type { RestoreInput } from './log/restore.ts'
export type { RolledUp, RollUpOptions, RollUpPage } from './log/roll-up.ts'
export type {
  AnyRun,
  EndedRun,
  FinalizingRun,
  HeldRun,
  InitializingRun,
  RunningRun,
  SuspendedRun,
} from './log/run-types.ts'
export type { SearchOptions, SearchPage } from './log/search.ts'
export type { EventPage, EventPageOptions, EventTextPage } from './log/session-read.ts'
export type {
  ActiveSession,
  AnySession,
  AppendOptions,
  ClosedSession,
  CloseOptions,
  CreatedSession,
  ExpiredSession,
  UnseenSession,
} from './log/session-types.ts'
export type { Sessions, SessionTree } from './log/sessions.ts'
export type { StoredFile } from './log/stored-file.ts'
export type { SessionSummary } from './log/summary-view.ts'
export type { SweepOptions, Swept } from './log/sweep.ts'
export type { Upcaster, Upcasters } from './log/upcast.ts'
export type { Usage, UsagePage } from './log/usage.ts'
export type { Receipt, WriteOptions } from './log/write-options.ts'
export { fold, foldAll } from './session/fold/index.ts'
export { splitModel } from './session/model-ref.ts'
export type { FoldEvent, Head, State } from './session/state.ts'
export { type AgentSessionRow, agentSessionRow } from './session/views/agent-session-row.ts'
export { type BambooSession, bambooView } from './session/views/bamboo.ts'
export { type OxiosSession, oxiosView } from './session/views/oxios.ts'
export { type SessionRecord, sessionRecordView } from './session/views/session-record.ts'
export { type SmoothOperatorSession, smoothOperatorView } from './session/views/smooth-operator.ts'
export type { ByteRange, Store, StoreFactory, StoreInfo } from './store/store.ts'
