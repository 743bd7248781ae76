/**
 * S5: the session of bamboo. Its `force_manual_compression` has no field here on purpose: that request lives in memory on
 * the live run and is never serialised.
 */
import type {
  CompactionRecord,
  ContextUsage,
  JsonObject,
  Lineage,
  Message,
  PromptSnapshot,
  Question,
  ReasoningEffort,
  Run,
  Session,
  Summary,
  TaskList,
  TokenBudget,
} from '@holdfast/protocol'
import { required } from './required.ts'

/** `compressed`: a summary stands for this message in what the model is sent; the message itself stays. */
export type BambooMessage = Message & { compressed: boolean }

export interface BambooSession {
  id: string
  title: string
  pinned: boolean
  /** Root or child: the place in the tree, not the purpose. */
  kind: Lineage
  parentSessionId?: string
  rootSessionId: string
  spawnDepth: number
  messages: BambooMessage[]
  createdAt: string
  updatedAt: string
  taskList?: TaskList
  pendingQuestion?: Question
  model: string
  /** Agrees with `model`; present when the provider is known. */
  modelRef?: { provider: string; model: string }
  reasoningEffort?: ReasoningEffort
  /** Strings only: other values as their JSON text. */
  metadata: Record<string, string>
  tokenBudget?: TokenBudget
  /** The last prepared context: a snapshot, not a sum. */
  tokenUsage?: ContextUsage
  conversationSummary?: Summary
  promptSnapshot?: PromptSnapshot
  compressionEvents: CompactionRecord[]
  compressionInstructions?: string
  agentRuntimeState?: Run
  hasPendingQuestion: boolean
}

/** `messages` are those of the visible path; `covered` has the ids of those that a summary stands for. */
export function bambooView(
  session: Session,
  messages: readonly Message[],
  covered: ReadonlySet<string> = new Set(),
): BambooSession {
  const {
    id,
    pinned,
    lineage,
    rootSessionId,
    spawnDepth,
    createdAt,
    updatedAt,
    providerId,
    compactions,
    openQuestion,
  } = session
  const model = required(session, 'model', 'bamboo')
  return {
    id,
    title: required(session, 'title', 'bamboo'),
    pinned,
    kind: lineage,
    rootSessionId,
    spawnDepth,
    messages: messages.map((message) => ({ ...message, compressed: covered.has(message.id) })),
    createdAt,
    updatedAt,
    model,
    ...(providerId !== undefined && { modelRef: { provider: providerId, model } }),
    metadata: strings(session.metadata ?? {}),
    compressionEvents: compactions,
    hasPendingQuestion: openQuestion !== undefined,
    ...optionals(session),
  }
}

function optionals({
  parentSessionId,
  taskList,
  openQuestion,
  reasoningEffort,
  budget,
  contextUsage,
  ...session
}: Session) {
  const { summary, promptSnapshot, compressionInstructions, run } = session
  return {
    ...(parentSessionId !== undefined && { parentSessionId }),
    ...(taskList && { taskList }),
    ...(openQuestion && { pendingQuestion: openQuestion }),
    ...(reasoningEffort && { reasoningEffort }),
    ...(budget && { tokenBudget: budget }),
    ...(contextUsage && { tokenUsage: contextUsage }),
    ...(summary && { conversationSummary: summary }),
    ...(promptSnapshot && { promptSnapshot }),
    ...(compressionInstructions !== undefined && { compressionInstructions }),
    ...(run && { agentRuntimeState: run }),
  }
}

function strings(metadata: JsonObject): Record<string, string> {
  const entries = Object.entries(metadata)
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
}
