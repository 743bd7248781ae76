/** What a chat needs of the place where its session is. */
import type { Followed, SessionTree } from '@holdfast/core'
import type { Json, Message, Session } from '@holdfast/protocol'

/**
 * A turn as it happens: the events of the log and the text in the making, from what began it to where its run rests. What
 * cannot be begun throws at the first step.
 */
export type ChatTurn = AsyncIterable<Followed>

export interface ChatPlace {
  /** A new session for the agent: its id. */
  create(agentId: string): Promise<string>
  /** The session now: its open question, its run. Throws `not_found`. */
  view(sessionId: string): Promise<Session>
  /** A root session with all that it spawned. */
  tree(rootSessionId: string): Promise<SessionTree>
  /** The newest messages, oldest first. */
  history(sessionId: string, limit: number): Promise<readonly Message[]>
  /** The text is durable before anything else happens. */
  send(sessionId: string, text: string): ChatTurn
  /** Throws `invalid_answer` for what does not fit; the question stays open then. */
  answer(sessionId: string, questionId: string, answer: Json): ChatTurn
  /** The same, without a look at what comes of it. */
  settle(sessionId: string, questionId: string, answer: Json): Promise<void>
  /** Goes on with a run that others left or lost, or follows it where it goes on. */
  resume(sessionId: string): ChatTurn
  /** What was said so far stays. Without a turn there is nothing to do. */
  stop(sessionId: string): Promise<void>
}
