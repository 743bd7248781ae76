/** S1: the conversation session of smooth-operator, field for field. Absent optionals are left out, as it does. */
import { type JsonObject, type Session, toMs } from '@holdfast/protocol'
import { hasExpired, isClosed } from './ended.ts'
import { required } from './required.ts'

export type SmoothOperatorStatus = 'active' | 'idle' | 'ended'

export interface SmoothOperatorSession {
  sessionId: string
  conversationId: string
  agentId: string
  agentName: string
  userParticipantId: string
  agentParticipantId: string
  threadId: string
  status: SmoothOperatorStatus
  /** Consumed tokens: prompt and completion. Reasoning and cached tokens are inside them. */
  tokenCount: number
  messageCount: number
  metadata?: JsonObject
  createdAt: string
  updatedAt: string
  endedAt?: string
  lastActivityAt: string
}

export interface IdleRule {
  nowMs: number
  /** A session without a live run that was quiet for longer is idle. */
  idleLimitMs: number
}

export function smoothOperatorView(session: Session, rule: IdleRule): SmoothOperatorSession {
  const {
    id,
    conversationId,
    agentId,
    agentName,
    threadId,
    counters,
    metadata,
    createdAt,
    updatedAt,
    endedAt,
    lastActivityAt,
  } = session
  return {
    sessionId: id,
    conversationId,
    agentId,
    agentName,
    userParticipantId: required(session, 'userParticipantId', 'smooth-operator'),
    agentParticipantId: required(session, 'agentParticipantId', 'smooth-operator'),
    threadId,
    status: statusOf(session, rule),
    tokenCount: counters.promptTokens + counters.completionTokens,
    messageCount: counters.messageCount,
    ...(metadata && { metadata }),
    createdAt,
    updatedAt,
    ...(endedAt !== undefined && { endedAt }),
    lastActivityAt,
  }
}

function statusOf(session: Session, { nowMs, idleLimitMs }: IdleRule): SmoothOperatorStatus {
  if (isClosed(session) || hasExpired(session, nowMs)) return 'ended'
  const live = session.status === 'running' || session.status === 'unknown'
  const quietMs = nowMs - toMs(session.lastActivityAt)
  return !live && quietMs > idleLimitMs ? 'idle' : 'active'
}
