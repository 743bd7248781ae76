/** Agents on an open Holdfast: where sessions get somebody who answers in them. */
import type { Holdfast } from '@holdfast/core'
import { type CreateInput, HoldfastError, type Ids, uuidv7Ids } from '@holdfast/protocol'
import { loadCounter } from './context/count.ts'
import type { Agent } from './define/agent.ts'
import { AgentSession } from './session/agent-session.ts'
import type { World } from './turn/world.ts'
import { sleep } from './worker/sleep.ts'
import { Worker } from './worker/worker.ts'

export interface AgentsOptions {
  agents: readonly Agent[]
  /** Names this process in leases; default a new id. */
  owner?: string
  /** How long a run is held without a sign of life. Default 30 seconds. */
  leaseTtlMs?: number
  /** Milliseconds; default the system's. */
  clock?: () => number
  random?: () => number
  ids?: Ids
}

export class Agents {
  readonly #world: World
  readonly #worker: Worker

  constructor(holdfast: Holdfast, options: AgentsOptions) {
    const now = options.clock ?? Date.now
    const ids = options.ids ?? uuidv7Ids(now)
    this.#world = {
      holdfast,
      agents: new Map(options.agents.map((agent) => [agent.id, agent])),
      owner: options.owner ?? `worker-${ids.next()}`,
      leaseTtlMs: options.leaseTtlMs ?? 30_000,
      counter: loadCounter(),
      ids,
      now,
      random: options.random ?? Math.random,
      sleep,
    }
    this.#worker = new Worker(this.#world)
  }

  /** A session for an agent, with the agent's budget and persona unless the input says otherwise. */
  async create(input: CreateInput, options?: { key?: string }): Promise<AgentSession> {
    const agent = this.#world.agents.get(input.agentId)
    if (!agent) throw new HoldfastError('not_found', `no agent ${input.agentId} is defined here`)
    const defaults = {
      agentName: agent.name,
      ...(agent.budget && { budget: agent.budget }),
      ...(agent.personaId !== undefined && { personaId: agent.personaId }),
    }
    const { id } = await this.#world.holdfast.sessions.create(
      { ...defaults, ...input } as CreateInput,
      options,
    )
    return this.at(id)
  }

  /** A session that stands; nothing is read yet. */
  at(sessionId: string): AgentSession {
    return new AgentSession(this.#world, this.#worker, sessionId)
  }

  /** Resolves when no turn is worked on here. */
  idle(): Promise<void> {
    return this.#worker.idle()
  }
}

export function withAgents(holdfast: Holdfast, options: AgentsOptions): Agents {
  return new Agents(holdfast, options)
}
