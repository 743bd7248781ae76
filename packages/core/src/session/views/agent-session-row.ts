/** S4: the row of a fleet's table, one line per session. */
import type { Channel, Purpose, Session } from '@holdfast/protocol'
import { required } from './required.ts'

export type AgentSessionStatus = 'active' | 'completed' | 'failed' | 'cancelled' | 'unknown'

export interface AgentSessionRow {
  id: string
  /** What the session is for; its place in the tree is another thing. */
  kind: Purpose
  status: AgentSessionStatus
  channel: Channel
  model: string
  createdAt: string
  lastActiveAt: string
  /** Completed runs, not rounds. */
  turns: number
  promptTokens: number
  completionTokens: number
  /** Inside `completionTokens`; never added to it. */
  reasoningTokens: number
  /** US cents: the one place where integer micro-cents become a number with a fraction. */
  costCents: number
  /** Some figure was counted by us, not reported. */
  costEstimated: boolean
  /** Model calls without a known price: they are missing from `costCents`, not free. */
  costUnknown: number
  /** Absent for an interactive session. */
  goalText?: string
}

const microcentsPerCent = 1_000_000

export function agentSessionRow(session: Session): AgentSessionRow {
  const { id, purpose, channel, createdAt, lastActivityAt, counters, goalText } = session
  return {
    id,
    kind: purpose,
    status: statusOf(session),
    channel,
    model: required(session, 'model', 'agent session row'),
    createdAt,
    lastActiveAt: lastActivityAt,
    turns: counters.turnCount,
    promptTokens: counters.promptTokens,
    completionTokens: counters.completionTokens,
    reasoningTokens: counters.reasoningTokens,
    costCents: counters.costMicrocents / microcentsPerCent,
    costEstimated: counters.costEstimated,
    costUnknown: counters.costUnknown,
    ...(goalText !== undefined && { goalText }),
  }
}

function statusOf({ status }: Session): AgentSessionStatus {
  switch (status) {
    case 'unknown':
    case 'completed':
    case 'failed':
    case 'cancelled':
      return status
    case 'expired':
      return 'cancelled'
    default:
      return 'active'
  }
}
