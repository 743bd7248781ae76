/** A chat in this process, on the store itself. */
import { type Agents, withAgents } from '@holdfast/agent'
import type { Followed, Holdfast, SessionTree } from '@holdfast/core'
import { isHoldfastError, type Json } from '@holdfast/protocol'
import type { AgentsHere } from '../agents/agents-of.ts'
import type { ChatPlace, ChatTurn } from './chat-place.ts'

export interface StorePlaceOptions extends Pick<AgentsHere, 'agents'> {
  now: () => number
  /** Told of what failed with nobody waiting for it. */
  onError(error: unknown): void
}

/** Of a chat that was killed no run is held for longer than this. */
const leaseTtlMs = 10_000
const lookEveryMs = 1_000

export class StorePlace implements ChatPlace {
  readonly #holdfast: Holdfast
  readonly #agents: Agents
  readonly #onError: (error: unknown) => void

  constructor(holdfast: Holdfast, { agents, now: clock, onError }: StorePlaceOptions) {
    this.#holdfast = holdfast
    // It works on the session of the chat and those below it. What others left elsewhere is not its business.
    this.#agents = withAgents(holdfast, { agents, clock, onError, leaseTtlMs, pollMs: 0 })
    this.#onError = onError
  }

  async create(agentId: string): Promise<string> {
    return (await this.#agents.create({ agentId, channel: 'cli' })).id
  }

  view(sessionId: string) {
    return this.#holdfast.sessions.at(sessionId).view()
  }

  async history(sessionId: string, limit: number) {
    return (await this.#holdfast.sessions.at(sessionId).messages({ limit })).messages
  }

  send(sessionId: string, text: string): ChatTurn {
    return this.#agents.at(sessionId).send(text)
  }

  answer(sessionId: string, questionId: string, answer: Json): ChatTurn {
    return this.#agents.at(sessionId).answer(questionId, answer)
  }

  async *resume(sessionId: string): AsyncGenerator<Followed, void, void> {
    const looking = setInterval(() => void this.#takeOver(sessionId), lookEveryMs)
    try {
      yield* this.#agents.at(sessionId).resume()
    } finally {
      clearInterval(looking)
    }
  }

  async stop(sessionId: string): Promise<void> {
    try {
      await this.#agents.at(sessionId).stop()
    } catch (error) {
      // The turn had ended meanwhile.
      if (!isHoldfastError(error, 'no_live_run')) throw error
    }
  }

  /** Turns under way are left for whoever goes on. */
  async close(): Promise<void> {
    await this.#agents.close({ drainMs: 0 })
  }

  /** A worker that was killed holds its run until the lease is over, and so do those of the session's children. */
  async #takeOver(sessionId: string): Promise<void> {
    try {
      const { rootSessionId } = await this.view(sessionId)
      const tree = await this.#holdfast.sessions.tree(rootSessionId)
      for (const id of leftBelow(tree, sessionId)) await this.#agents.at(id).resume().accepted()
    } catch (error) {
      // It ended, or asked something, since it was looked at.
      if (!isHoldfastError(error, 'no_live_run') && !isHoldfastError(error, 'question_open')) {
        this.#onError(error)
      }
    }
  }
}

/** The session and those below it whose run nobody works on. */
function leftBelow({ session, children }: SessionTree, sessionId: string, isBelow = false): string[] {
  const isOurs = isBelow || session.id === sessionId
  const below = children.flatMap((child) => leftBelow(child, sessionId, isOurs))
  return isOurs && isLeft(session) ? [session.id, ...below] : below
}

function isLeft({ run, openQuestionId, openChildren }: SessionTree['session']): boolean {
  if (run?.state !== 'suspended') return run?.lost === true
  return openQuestionId === undefined && openChildren === 0
}
