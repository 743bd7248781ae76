/** A chat in this process, on the store itself. */
import { type Agents, type TurnStream, withAgents } from '@holdfast/agent'
import type { Followed, Holdfast, SessionTree } from '@holdfast/core'
import { isHoldfastError, type Json } from '@holdfast/protocol'
import type { AgentsHere } from '../agents/agents-of.ts'
import { sessionsFrom } from './below.ts'
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
  /** The last one that was begun. */
  #turn: TurnStream | undefined

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

  tree(rootSessionId: string) {
    return this.#holdfast.sessions.tree(rootSessionId)
  }

  async history(sessionId: string, limit: number) {
    return (await this.#holdfast.sessions.at(sessionId).messages({ limit })).messages
  }

  send(sessionId: string, text: string): ChatTurn {
    this.#turn = this.#agents.at(sessionId).send(text)
    return this.#turn
  }

  answer(sessionId: string, questionId: string, answer: Json): ChatTurn {
    this.#turn = this.#agents.at(sessionId).answer(questionId, answer)
    return this.#turn
  }

  async settle(sessionId: string, questionId: string, answer: Json): Promise<void> {
    await this.#agents.at(sessionId).answer(questionId, answer).accepted()
  }

  async *resume(sessionId: string): AsyncGenerator<Followed, void, void> {
    const looking = setInterval(() => void this.#takeOver(sessionId), lookEveryMs)
    try {
      this.#turn = this.#agents.at(sessionId).resume()
      yield* this.#turn
    } finally {
      clearInterval(looking)
    }
  }

  async stop(sessionId: string): Promise<void> {
    if (!(await this.#hasBegun())) return
    try {
      await this.#agents.at(sessionId).stop()
    } catch (error) {
      // It had ended meanwhile.
      if (!isHoldfastError(error, 'no_live_run')) throw error
    }
  }

  /** Turns under way are left for whoever goes on. */
  async close(): Promise<void> {
    await this.#agents.close({ drainMs: 0 })
  }

  /** What is still on its way to the store is no run yet. Why a turn did not begin is told to its reader. */
  async #hasBegun(): Promise<boolean> {
    try {
      await this.#turn?.accepted()
      return true
    } catch {
      return false
    }
  }

  /** A worker that was killed holds its run until the lease is over, and so do those of the session's children. */
  async #takeOver(sessionId: string): Promise<void> {
    try {
      const { rootSessionId } = await this.view(sessionId)
      const left = sessionsFrom(await this.tree(rootSessionId), sessionId).filter(isLeft)
      for (const { id } of left) await this.#agents.at(id).resume().accepted()
    } catch (error) {
      // It ended, or asked something, since it was looked at.
      if (!isHoldfastError(error, 'no_live_run') && !isHoldfastError(error, 'question_open')) {
        this.#onError(error)
      }
    }
  }
}

/** Nobody works on its run. */
function isLeft({ run, openQuestionId, openChildren }: SessionTree['session']): boolean {
  if (run?.state !== 'suspended') return run?.lost === true
  return openQuestionId === undefined && openChildren === 0
}
