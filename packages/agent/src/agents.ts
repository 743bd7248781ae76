/** Agents on an open Holdfast: where sessions get somebody who answers in them. */
import type { Holdfast } from '@holdfast/core'
import { type CreateInput, HoldfastError, type Ids, uuidv7Ids } from '@holdfast/protocol'
import { systemClock } from './clock.ts'
import { loadCounter } from './context/count.ts'
import { KeptPrompts } from './context/kept-prompts.ts'
import type { Agent } from './define/agent.ts'
import { messageOf } from './message-of.ts'
import { systemRandom } from './random.ts'
import { AgentSession } from './session/agent-session.ts'
import { sessionDefaults } from './session/session-defaults.ts'
import type { World } from './turn/world.ts'
import { Schedule } from './worker/schedule.ts'
import { sleep } from './worker/sleep.ts'
import { Worker } from './worker/worker.ts'

export interface AgentsOptions {
  agents: readonly Agent[]
  /** Names this process in leases; default a new id. */
  owner?: string
  /** How long a run is held without a sign of life. Default 30 seconds. */
  leaseTtlMs?: number
  /** How often this process looks for runs that others left, and for those that may go on. Default 1 second; 0: only when `recover` is called. */
  pollMs?: number
  /** Told of what failed with nobody waiting for it; default a warning of the process. */
  onError?: (error: unknown, sessionId?: string) => void
  /** Milliseconds; default the system's. */
  clock?: () => number
  /** In [0, 1). */
  random?: () => number
  ids?: Ids
}

export interface CloseAgentsOptions {
  /** How long turns under way may still take to end by themselves. Default 10 seconds. */
  drainMs?: number
}

export interface Agents {
  /** A session for an agent, with the agent's budget and persona unless the input says otherwise. */
  create(input: CreateInput, options?: { key?: string }): Promise<AgentSession>
  /** Begins what there is to do for a session, if it is nobody else's: without waiting for the next look, or being waited for. */
  wake(sessionId: string): void
  /** A session that stands; nothing is read yet. */
  at(sessionId: string): AgentSession
  /** Takes on what others left: lost runs, answered questions, input without a run. */
  recover(): Promise<void>
  /** Resolves when no turn is worked on here. */
  idle(): Promise<void>
  /**
   * Takes nothing more on. Turns under way may end; those that do not are suspended where they are, for any other process
   * to go on with: who waits for them here is told that they are suspended. Idempotent.
   */
  close(options?: CloseAgentsOptions): Promise<void>
}

export class WorkingAgents implements Agents {
  readonly #closing = new AbortController()
  readonly #world: World
  readonly #worker: Worker
  readonly #schedule: Schedule | undefined

  /** `prompts`: shared with the agents of other tenants. */
  constructor(holdfast: Holdfast, options: AgentsOptions, prompts: KeptPrompts) {
    const begin: World['begin'] = (...run) => this.#worker.begin(...run)
    this.#world = worldOf(holdfast, options, { begin, closed: this.#closing.signal, prompts })
    this.#worker = new Worker(this.#world)
    const { pollMs = 1_000 } = options
    if (pollMs > 0) this.#schedule = new Schedule(pollMs, () => this.#worker.claimDue(), this.#world.onError)
  }

  async create(input: CreateInput, options?: { key?: string }): Promise<AgentSession> {
    const agent = this.#world.agents.get(input.agentId)
    if (!agent) throw new HoldfastError('not_found', `no agent ${input.agentId} is defined here`)
    const whole = { ...sessionDefaults(agent), ...input } as CreateInput
    const { id } = await this.#world.holdfast.sessions.create(whole, options)
    return this.at(id)
  }

  wake(sessionId: string): void {
    void this.#worker.claimSafely(sessionId)
  }

  at(sessionId: string): AgentSession {
    return new AgentSession(this.#world, this.#worker, sessionId)
  }

  recover(): Promise<void> {
    return this.#schedule ? this.#schedule.now() : this.#worker.claimDue()
  }

  idle(): Promise<void> {
    return this.#worker.idle()
  }

  async close({ drainMs = 10_000 }: CloseAgentsOptions = {}): Promise<void> {
    this.#worker.close()
    const late = setTimeout(() => this.#worker.leave({ why: 'shutdown' }), drainMs)
    await this.#schedule?.end()
    await this.#worker.idle()
    clearTimeout(late)
    this.#closing.abort()
  }
}

function worldOf(
  holdfast: Holdfast,
  options: AgentsOptions,
  own: Pick<World, 'begin' | 'closed' | 'prompts'>,
): World {
  const now = options.clock ?? systemClock.now
  const ids = options.ids ?? uuidv7Ids(now)
  return {
    holdfast,
    agents: new Map(options.agents.map((agent) => [agent.id, agent])),
    owner: options.owner ?? `worker-${ids.next()}`,
    leaseTtlMs: options.leaseTtlMs ?? 30_000,
    counter: loadCounter(),
    ...own,
    onError: options.onError ?? warn,
    ids,
    now,
    random: options.random ?? systemRandom,
    sleep,
  }
}

export function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : messageOf(error))
}

export function withAgents(holdfast: Holdfast, options: AgentsOptions): Agents {
  return new WorkingAgents(holdfast, options, new KeptPrompts())
}
