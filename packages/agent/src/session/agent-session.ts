/** A session that an agent answers in. What is asked of it here may be asked of it in any process. */
import type { HostCommand, UnseenSession, WriteOptions } from '@holdfast/core'
import {
  HoldfastError,
  type InputPolicy,
  isHoldfastError,
  type Json,
  type MessagePart,
  type TurnPlace,
} from '@holdfast/protocol'
import { compactIdle } from '../context/compact-turn.ts'
import type { Agent } from '../define/agent.ts'
import { Turn } from '../turn/turn.ts'
import type { World } from '../turn/world.ts'
import type { Worker } from '../worker/worker.ts'
import { type TurnStart, TurnStream } from './turn-stream.ts'

/** Under a key the same input is taken once. */
export interface SendOptions extends WriteOptions {
  /** What to do while a turn is under way: `enqueue` (default), `steer`, `interrupt` or `reject`. */
  policy?: InputPolicy
  messageId?: string
}

type Append = Extract<HostCommand, { type: 'append' }>

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

  /** Begins to work towards the session's goal: once, however often it is asked. Throws `invalid_input` without a goal. */
  pursue(options: Omit<WriteOptions, 'key'> = {}): TurnStream {
    return new TurnStream(this.#pursued(options))
  }

  async #pursued(options: WriteOptions): Promise<TurnStart> {
    const { goalText, seedId } = await this.#session.view()
    const seed = seedId === undefined ? undefined : await this.#world.holdfast.seeds.get(seedId)
    const goal = seed?.body.goal ?? goalText
    if (goal === undefined) throw new HoldfastError('invalid_input', `session ${this.id} has no goal`)
    return this.#accept(goal, { ...options, key: 'goal' })
  }

  /** Asks the turn to stop; what it has said so far stays. */
  async stop(reason?: string, options: WriteOptions = {}): Promise<void> {
    await this.#session.stopRun({ ...options, ...(reason !== undefined && { reason }) })
  }

  /** Answers the open question. The run that waited for it goes on, here or in another process. */
  answer(questionId: string, answer: Json, options: WriteOptions = {}): TurnStream {
    return new TurnStream(this.#answered(questionId, answer, options))
  }

  /** Goes on with a run that was left, or follows it where it goes on. */
  resume(): TurnStream {
    return new TurnStream(this.#resumed())
  }

  /**
   * Makes the context smaller now, or at the next round of the turn that this process works on. False: there was nothing
   * that a summary could stand for. `run_elsewhere` when another process works on the session.
   */
  async compact({ instructions }: { instructions?: string } = {}): Promise<boolean> {
    // A turn that ends before it came to it leaves it to us.
    if (await this.#worker.askToCompact(this.id, instructions)) return true
    const { run } = await this.#session.view()
    if (run?.owner !== undefined)
      throw new HoldfastError(
        'run_elsewhere',
        `run ${run.runId} of session ${this.id} is live in another process`,
      )
    return compactIdle(this.#world, await this.#agent(), this.#session, instructions)
  }

  async #answered(questionId: string, answer: Json, options: WriteOptions): Promise<TurnStart> {
    const { firstSeq = 1 } = await this.#session.answer(questionId, answer, options)
    const { run } = await this.#session.view()
    if (!run)
      throw new HoldfastError('no_live_run', `question ${questionId} of session ${this.id} was no run's`)
    await this.#worker.claim(this.id)
    const output = (await this.#findAgent())?.output
    return { session: this.#session, after: firstSeq - 1, place: inRun(run), output }
  }

  async #resumed(): Promise<TurnStart> {
    const { seq, run, openQuestion } = await this.#session.view()
    if (!run || run.endedAt !== undefined)
      throw new HoldfastError('no_live_run', `session ${this.id} has no run to go on with`)
    if (openQuestion)
      throw new HoldfastError(
        'question_open',
        `question ${openQuestion.questionId} of session ${this.id} waits for its answer`,
      )
    await this.#worker.claim(this.id)
    return { session: this.#session, after: seq, place: inRun(run) }
  }

  async #accept(input: Input, options: SendOptions): Promise<TurnStart> {
    const agent = await this.#findAgent()
    const { policy, messageId, ...write } = options
    const append = appendOf(input, { policy, messageId })
    if (!agent) return this.#add(append, write)
    try {
      return { ...(await this.#begin(agent, append, write)), output: agent.output }
    } catch (error) {
      // Under a key that added input to a turn under way, it is not taken twice either.
      if (!isHoldfastError(error, 'run_live') && !isHoldfastError(error, 'key_conflict')) throw error
    }
    return { ...(await this.#add(append, write)), output: agent.output }
  }

  /** The input and its run in one commit: nothing that was accepted is left without a run. */
  async #begin(agent: Agent, append: HostCommand, write: WriteOptions): Promise<TurnStart> {
    const { owner, leaseTtlMs: ttlMs } = this.#world
    const commands: HostCommand[] = [append, { type: 'startRun', owner, ttlMs }, { type: 'startRound' }]
    const begun = await this.#session.batchRun(commands, write)
    const { run, firstSeq = 1, lastSeq = 1 } = begun
    if (run) this.#worker.take(new Turn(this.#world, agent, run, { seq: lastSeq }))
    const place = atMessage(begun.messages[0])
    return { session: this.#session, after: firstSeq - 1, place, replayed: begun.replayed }
  }

  async #add(append: Append, write: WriteOptions): Promise<TurnStart> {
    const { messages, replayed, firstSeq = 1 } = await this.#session.batch([{ ...append, due: true }], write)
    const place = atMessage(messages[0])
    // The turn that it was to wait for may have ended meanwhile.
    if (!place.waiting) await this.#worker.claim(this.id)
    return { session: this.#session, after: firstSeq - 1, place, replayed }
  }

  /** Undefined: it is defined in other processes, which find what is due. */
  async #findAgent(): Promise<Agent | undefined> {
    return this.#world.agents.get((await this.#session.view()).agentId)
  }

  async #agent(): Promise<Agent> {
    const agent = await this.#findAgent()
    if (agent) return agent
    throw new HoldfastError('not_found', `the agent of session ${this.id} is not defined here`)
  }
}

function inRun({ runId }: { runId: string }): TurnPlace {
  return { runId }
}

function atMessage(message: { id: string; waiting?: unknown } | undefined) {
  return { messageId: message?.id ?? '', waiting: message?.waiting !== undefined }
}

interface Appending {
  policy: InputPolicy | undefined
  messageId: string | undefined
}

function appendOf(input: Input, { policy, messageId }: Appending): Append {
  const parts: MessagePart[] = typeof input === 'string' ? [{ type: 'text', text: input }] : [...input]
  const message = { role: 'user' as const, parts, ...(messageId !== undefined && { id: messageId }) }
  return { type: 'append', message, ...(policy && { policy }) }
}
