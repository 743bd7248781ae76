/** A session that an agent answers in. What is asked of it here may be asked of it in any process. */
import type { HostCommand, UnseenSession } from '@holdfast/core'
import { isHoldfastError, type MessagePart } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'
import type { World } from '../turn/world.ts'
import type { Worker } from '../worker/worker.ts'
import { type TurnStart, TurnStream } from './turn-stream.ts'

export interface SendOptions {
  /** What to do while a turn is under way: `enqueue` (default), `steer`, `interrupt` or `reject`. */
  policy?: 'reject' | 'enqueue' | 'steer' | 'interrupt'
  /** Idempotency key: the same input under it is taken once. */
  key?: string
  messageId?: string
}

export type Input = string | readonly MessagePart[]

export class AgentSession {
  readonly id: string
  readonly #world: World
  readonly #worker: Worker
  readonly #session: UnseenSession

  constructor(world: World, worker: Worker, sessionId: string) {
    this.id = sessionId
    this.#world = world
    this.#worker = worker
    this.#session = world.holdfast.sessions.at(sessionId)
  }

  /** The session's log, for everything that needs no agent. */
  get log(): UnseenSession {
    return this.#session
  }

  /** Begins a turn, or adds to the one under way; it goes on whether or not anybody listens. */
  send(input: Input, options: SendOptions = {}): TurnStream {
    return new TurnStream(this.#accept(input, options))
  }

  /** Asks the turn to stop; what it has said so far stays. */
  async stop(reason?: string): Promise<void> {
    await this.#session.stopRun(reason === undefined ? {} : { reason })
  }

  async #accept(input: Input, options: SendOptions): Promise<TurnStart> {
    const agent = await this.#agent()
    const append = appendOf(input, options)
    try {
      return await this.#begin(agent, append, options)
    } catch (error) {
      if (!isHoldfastError(error, 'run_live')) throw error
    }
    return this.#add(append, options)
  }

  /** The input and its run in one commit: nothing that was accepted is left without a run. */
  async #begin(agent: Agent, append: HostCommand, { key }: SendOptions): Promise<TurnStart> {
    const { owner, leaseTtlMs: ttlMs } = this.#world
    const begun = await this.#session.batchRun(
      [append, { type: 'startRun', owner, ttlMs }],
      key === undefined ? {} : { key },
    )
    const { run, firstSeq = 1, lastSeq = 1 } = begun
    if (run) this.#worker.take(agent, run, lastSeq)
    const messageId = begun.messages[0]?.id ?? ''
    return { session: this.#session, after: firstSeq - 1, of: run ? { runId: run.runId } : { messageId } }
  }

  async #add(append: HostCommand, { key }: SendOptions): Promise<TurnStart> {
    const { messages, firstSeq = 1 } = await this.#session.batch([append], key === undefined ? {} : { key })
    return { session: this.#session, after: firstSeq - 1, of: { messageId: messages[0]?.id ?? '' } }
  }

  async #agent(): Promise<Agent> {
    const { agentId } = await this.#session.view()
    const agent = this.#world.agents.get(agentId)
    if (!agent) throw new Error(`no agent ${agentId}`)
    return agent
  }
}

function appendOf(input: Input, { policy, messageId }: SendOptions): HostCommand {
  const parts: MessagePart[] = typeof input === 'string' ? [{ type: 'text', text: input }] : [...input]
  const message = { role: 'user' as const, parts, ...(messageId !== undefined && { id: messageId }) }
  return { type: 'append', message, ...(policy && { policy }) }
}
