/** A chat with an agent that works in a server. */
import type { HoldfastClient } from '@holdfast/client'
import { isHoldfastError, type Json } from '@holdfast/protocol'
import { servedItems } from '../place/served-place.ts'
import type { ChatPlace, ChatTurn } from './chat-place.ts'

export class ServerPlace implements ChatPlace {
  readonly #client: HoldfastClient

  constructor(client: HoldfastClient) {
    this.#client = client
  }

  /** Leaves no session behind whose agent does not work in the server. */
  async create(agentId: string): Promise<string> {
    const { sessions } = this.#client
    const { id } = await sessions.create({ agentId, channel: 'cli' })
    try {
      await sessions.modelContext(id)
    } catch (error) {
      // Whatever else there is to tell, the turn tells.
      if (!isHoldfastError(error, 'no_agent')) return id
      await sessions.delete(id)
      throw error
    }
    return id
  }

  view(sessionId: string) {
    return this.#client.sessions.get(sessionId)
  }

  tree(rootSessionId: string) {
    return this.#client.sessions.tree(rootSessionId)
  }

  async history(sessionId: string, limit: number) {
    return (await this.#client.sessions.messages(sessionId, { limit })).data
  }

  send(sessionId: string, text: string): ChatTurn {
    return servedItems(this.#client.sessions.turn(sessionId, text))
  }

  async *answer(sessionId: string, questionId: string, answer: Json) {
    const { sessions } = this.#client
    const { run } = await sessions.get(sessionId)
    const { firstSeq = 1 } = await sessions.answer(sessionId, questionId, answer)
    if (run) yield* this.#follow(sessionId, run.runId, firstSeq - 1)
  }

  async settle(sessionId: string, questionId: string, answer: Json): Promise<void> {
    await this.#client.sessions.answer(sessionId, questionId, answer)
  }

  /** The server goes on with it by itself. */
  async *resume(sessionId: string) {
    const { run, seq } = await this.view(sessionId)
    if (run) yield* this.#follow(sessionId, run.runId, seq)
  }

  async stop(sessionId: string): Promise<void> {
    try {
      await this.#client.sessions.stopRun(sessionId)
    } catch (error) {
      // The turn had ended meanwhile.
      if (!isHoldfastError(error, 'no_live_run')) throw error
    }
  }

  #follow(sessionId: string, runId: string, after: number): ChatTurn {
    return servedItems(this.#client.sessions.followRun(sessionId, runId, { after: String(after) }))
  }
}
