/**
 * What a session is, folded from its events: the head, which every write reads, and the parts, which are read only by
 * those that need them. The head stays small whatever the history holds.
 */
import type {
  Actor,
  Channel,
  CompactionRecord,
  ContextUsage,
  Counters,
  JsonObject,
  Lineage,
  ModelPolicy,
  Outcome,
  PromptManifest,
  PromptSnapshot,
  Purpose,
  Question,
  ReasoningEffort,
  Role,
  RunState,
  SuspendReason,
  TaskList,
  TokenBudget,
} from '@holdfast/protocol'

export interface RunHead {
  runId: string
  state: RunState
  startedAt: string
  endedAt?: string
  /** The user message that the run answers. */
  answers?: string
  roundId?: string
  suspendReason?: SuspendReason
  waitFor?: 'all' | 'any' | 'first_error'
  stopRequested?: true
  error?: string
}

export interface WaitingInput {
  messageId: string
  role: Role
  policy: 'enqueue' | 'steer'
}

export interface ProviderContextHead {
  contextId: string
  providerId?: string
  model?: string
  initialTokens: number
  deltaTokens: number
  responseId?: string
  /** The round whose first attempt was counted: its retries add nothing. */
  countedRoundId?: string
}

/** Sums that a budget is compared with. Reserved and granted amounts are promised but not yet spent. */
export interface Spend {
  toolCalls: number
  reservedTokens: number
  reservedMicrocents: number
  reservedToolCalls: number
  /** How many are open that reserve no amount, and so are in no sum. */
  reservationsOfNothing: number
  grantedTokens: number
  grantedMicrocents: number
  grantedToolCalls: number
  /** What finished children consumed. */
  childTokens: number
  childMicrocents: number
  childToolCalls: number
}

export interface Head {
  id: string
  tenantId: string
  conversationId: string
  threadId: string
  agentId: string
  agentName: string
  ownerUserId?: string
  userParticipantId?: string
  agentParticipantId?: string
  purpose: Purpose
  channel: Channel
  title?: string
  /** The title was made up, not chosen: an automatic one may replace it. */
  titleAutomatic?: true
  pinned?: true
  held?: true
  lineage: Lineage
  parentSessionId?: string
  rootSessionId: string
  spawnDepth: number
  forkedFrom?: { sessionId: string; seq: number }
  providerId?: string
  model?: string
  modelPolicy: ModelPolicy
  reasoningEffort?: ReasoningEffort
  personaId?: string
  seedId?: string
  createdAt: string
  activatedAt?: string
  endedAt?: string
  /** Set by the sweep's event; before it, expiry is derived from the clock. */
  expired?: true
  outcome?: Outcome
  ttlSecs?: number
  ttlSliding?: true
  updatedAt: string
  lastActivityAt: string
  seq: number
  version: number
  /** Seq of the last edit, truncate, restore, clear or compaction. */
  pathSeq: number
  counters: Counters
  run?: RunHead
  /** Ids of the calls that wait for a result, in call order. */
  openCalls: string[]
  /** Seq of the message that made them. */
  callsFrom?: number
  waiting: WaitingInput[]
  /** Message ids of user messages without a complete answer, oldest first; the newest 16. Older ones have a ref. */
  unanswered: string[]
  /** The newest undo can be taken back: nothing was appended since. */
  canRedo?: true
  /** The last user message in the view, and the seq of its place there. */
  lastUser?: { id: string; seq: number }
  question?: { questionId: string; askedAt: string; expiresAt?: string }
  providerContext?: ProviderContextHead
  spend: Spend
  openChildren: number
  /** A critical event that this version does not know: no more writes by this version. */
  readOnly?: true
}

/** A visible range of seqs, both ends included; the last one is open. */
export interface PathRange {
  from: number
  /** Absent: through the end of the log. */
  to?: number
}

export interface PathPart {
  ranges: PathRange[]
  /** Undos that can be taken back, oldest first; emptied by an append, edit or truncate. */
  undos: { undoSeq: number; ranges: PathRange[] }[]
}

export interface Overlay extends CompactionRecord {
  /** Seq of the `compaction.applied` event, which holds the text. */
  seq: number
}

export interface CompactionPart {
  /** In force, by `from`; disjoint. */
  overlays: Overlay[]
  /** The newest 64 since the last clear. */
  records: CompactionRecord[]
  /** What undos took out of force, to come back with their redo; as long as the undos of the path. */
  undone?: { undoSeq: number; overlays: Overlay[] }[]
}

export interface ContextPart {
  usage?: ContextUsage
  /** What the last call was sent: it outlives the figures, so that what a clearing cost is known. */
  manifest?: PromptManifest
  /** Tool outputs at or before this seq are shown shortened. */
  trimmedThrough?: number
}

export interface ChildHead {
  childId: string
  agentId: string
  callId?: string
  grant: { tokens?: number; costMicrocents?: number; toolCalls?: number }
}

export interface ChildrenPart {
  open: ChildHead[]
  /** Of those that the suspended run waits for: how many ended, and how many of them failed. */
  finished: number
  failed: number
}

export interface Reservation {
  reservationId: string
  tokens: number
  costMicrocents: number
  toolCalls: number
}

export interface BudgetPart {
  budget?: TokenBudget
  reservations: Reservation[]
}

/** Rows written only when they change. */
export interface Parts {
  goal: string
  metadata: JsonObject
  tasks: TaskList
  question: Question
  prompt: PromptSnapshot
  context: ContextPart
  compaction: CompactionPart
  instructions: string
  path: PathPart
  children: ChildrenPart
  budget: BudgetPart
  /** Where an import stands in its source. */
  source: JsonObject
  /** The seed and persona as they were when set: records may gain generations, a session keeps what it was given. */
  seed: JsonObject
  persona: JsonObject
}

export type PartName = keyof Parts

/** Absent: not loaded. null: loaded, and there is none. */
export type LoadedParts = { [K in PartName]?: Parts[K] | null }

export interface State {
  head: Head
  parts: LoadedParts
}

/** An event as `decide` makes it and `fold` reads it, before the store gave its body a place. */
export interface FoldEvent {
  seq: number
  type: string
  v: number
  at: string
  actor: Actor
  traceId?: string
  runId?: string
  roundId?: string
  critical?: true
  data: unknown
}

export const partNames = [
  'goal',
  'metadata',
  'tasks',
  'question',
  'prompt',
  'context',
  'compaction',
  'instructions',
  'path',
  'children',
  'budget',
  'source',
  'seed',
  'persona',
] as const satisfies readonly PartName[]

export const unansweredKept = 16
export const compactionRecordsKept = 64

/** Reads a loaded part; a part that was not loaded is a broken invariant of the caller. */
export function loadedPart<K extends PartName>(parts: LoadedParts, name: K): Parts[K] | undefined {
  const part = parts[name]
  if (part === undefined) throw new Error(`part "${name}" was not loaded before it was needed`)
  return part === null ? undefined : (part as Parts[K])
}
