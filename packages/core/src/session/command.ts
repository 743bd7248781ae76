/** Everything that can be asked of a session, as values. Inputs were checked at the edge by the protocol's schemas. */
import type {
  CacheBreak,
  CompactionRecord,
  ContextUsage,
  Json,
  JsonObject,
  MessageInput,
  Outcome,
  PromptManifest,
  PromptSnapshot,
  QuestionInput,
  ReasoningEffort,
  Session,
  SuspendReason,
  TaskInput,
  TaskUpdate,
  TokenBudget,
  ToolOutcome,
  UsageRecord,
} from '@holdfast/protocol'

type Identity = Pick<
  Session,
  | 'id'
  | 'tenantId'
  | 'conversationId'
  | 'threadId'
  | 'agentId'
  | 'agentName'
  | 'purpose'
  | 'channel'
  | 'modelPolicy'
  | 'ttlSliding'
> &
  Partial<
    Pick<
      Session,
      | 'ownerUserId'
      | 'userParticipantId'
      | 'agentParticipantId'
      | 'goalText'
      | 'title'
      | 'providerId'
      | 'model'
      | 'ttlSecs'
    >
  >

export interface Commands {
  create: Identity &
    Pick<Session, 'pinned' | 'lineage' | 'rootSessionId' | 'spawnDepth'> &
    Partial<
      Pick<Session, 'parentSessionId' | 'reasoningEffort' | 'personaId' | 'seedId' | 'metadata' | 'budget'>
    >
  /** Decided on the source's state at `seq`; the fork's own events start after it. */
  fork: Identity & { source: { sessionId: string; seq: number } }
  activate: { providerId?: string; model?: string }
  rename: { title: string | null; automatic: boolean }
  pin: { pinned: boolean }
  hold: { held: boolean; reason?: string }
  patchMetadata: { values: JsonObject }
  replaceMetadata: { values: JsonObject | null }
  setModel: { providerId?: string; model?: string }
  setSeed: { seedId: string | null; seed?: JsonObject }
  setPersona: { personaId: string | null; persona?: JsonObject }
  setEffort: { reasoningEffort: ReasoningEffort | null }
  setInstructions: { instructions: string | null }
  setPrompt: { prompt: PromptSnapshot }
  close: { outcome?: Outcome; reason?: string; cancel: boolean }
  expire: Record<never, never>

  append: {
    message: MessageInput
    policy: 'reject' | 'enqueue' | 'steer' | 'interrupt'
    draftId?: string
    /** Somebody is to answer it: with no run, the session is due. */
    due?: boolean
  }
  edit: { messageId: string; message: MessageInput }
  /** Keeps what is visible through this seq. */
  truncate: { seq: number }
  undo: Record<never, never>
  redo: Record<never, never>
  addNote: { kind: string; text?: string; data?: Json; callId?: string }
  finishTool: {
    callId: string
    output: Json
    outcome: ToolOutcome
    messageId?: string
    name?: string
    neverCompress?: boolean
    provider?: JsonObject
  }
  /** Closes every open call, or these of them, with `interrupted, outcome unknown`. */
  closeCalls: { reason: string; callIds?: readonly string[] }

  /** With `recorded` no lease is taken: the same batch must end the run. */
  startRun: {
    runId?: string
    recorded?: boolean
    /** Only while the session is due for a new run: of two that found it so, one starts it. */
    ifDue?: boolean
    owner: string
    ttlMs: number
    answers?: string
    providerId?: string
    model?: string
  }
  /** Takes the lost lease of a live run, under a new epoch. */
  takeOverRun: { owner: string; ttlMs: number }
  suspendRun: { reason: SuspendReason; waitFor?: 'all' | 'any' | 'first_error' }
  resumeRun: { owner: string; ttlMs: number }
  finalizeRun: Record<never, never>
  completeRun: Record<never, never>
  failRun: { error: string; code?: string }
  cancelRun: { reason?: string }
  stopRun: { reason?: string }
  startRound: { roundId?: string }
  completeRound: Record<never, never>
  recordUsage: { usage: UsageRecord }

  askQuestion: { question: QuestionInput }
  answerQuestion: { questionId: string; answer: Json }
  withdrawQuestion: { questionId: string; reason?: string }
  /** The sweep's: only when the open question is past its time. */
  expireQuestion: { questionId: string }

  setTasks: { list: { title: string; items: TaskInput[] } | null }
  updateTask: { update: TaskUpdate }

  measureContext: { usage: ContextUsage; manifest?: PromptManifest; cacheBreak?: CacheBreak }
  trimContext: { trimmed: number; throughSeq: number }
  clearContext: Record<never, never>
  applyCompaction: { record: CompactionRecord; pathSeq: number; summary: string; summaryTokens: number }
  failCompaction: { compactionId: string; trigger: CompactionRecord['trigger']; reason: string }
  openProviderContext: {
    contextId?: string
    providerId?: string
    model?: string
    initialTokens: number
    responseId?: string
  }
  invalidateProviderContext: { reason: string }

  setBudget: { budget: TokenBudget | null }
  /** `costMicrocents` absent: the price is unknown. */
  reserveBudget: { reservationId?: string; tokens: number; costMicrocents?: number; toolCalls: number }
  settleBudget: { reservationId: string }
  spawnChild: {
    childId: string
    agentId: string
    callId?: string
    grant: { tokens?: number; costMicrocents?: number; toolCalls?: number }
  }
  finishChild: {
    childId: string
    outcome: Outcome
    spent: { tokens: number; costMicrocents: number; toolCalls: number }
    result?: string
  }

  saveCheckpoint: { threadId: string; namespace: string; checkpointId: string; parentId?: string }
  /** Names files that a fork takes over, since its source loses them. */
  takeFiles: { files: JsonObject[] }
  /** Bodies of these seqs go; the engine rewrites what was derived from them. */
  erase: { seqs: number[]; reason?: string }
  repair: { findings: string[] }
}

export type CommandType = keyof Commands
export type Command<T extends CommandType = CommandType> = { [K in T]: { type: K } & Commands[K] }[T]
