/** S2: the session of oxios. Its two arrays are views of one transcript, linked by `replyTo`, never by index. */
import type { JsonObject, Message, Session } from '@holdfast/protocol'
import { required } from './required.ts'

export interface OxiosSession {
  id: string
  userId: string
  userMessages: Message[]
  /** Final answers, each with its seed, the phase it reached, its evaluation and what it replies to. */
  agentResponses: Message[]
  activeSeedId?: string
  /** Absent: the tenant's default persona. */
  activePersonaId?: string
  createdAt: string
  updatedAt: string
  metadata: JsonObject
  /** User messages that have a complete final answer. */
  exchangeCount: number
  isEmpty: boolean
}

/** `messages` are those of the visible path, in order. */
export function oxiosView(session: Session, messages: readonly Message[]): OxiosSession {
  const { id, seedId, personaId, createdAt, updatedAt, metadata, counters } = session
  return {
    id,
    userId: required(session, 'ownerUserId', 'oxios'),
    userMessages: messages.filter((message) => message.role === 'user'),
    agentResponses: messages.filter(
      (message) => message.role === 'assistant' && message.phase === 'final_answer',
    ),
    ...(seedId !== undefined && { activeSeedId: seedId }),
    ...(personaId !== undefined && { activePersonaId: personaId }),
    createdAt,
    updatedAt,
    metadata: metadata ?? {},
    exchangeCount: counters.exchangeCount,
    isEmpty: counters.messageCount === 0,
  }
}
