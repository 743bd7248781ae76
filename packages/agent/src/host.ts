/** The same agents in every tenant of a store: what a server has. */
import type { Holdfast } from '@holdfast/core'
import type { TenantId } from '@holdfast/protocol'
import { type Agents, type AgentsOptions, type CloseAgentsOptions, WorkingAgents, warn } from './agents.ts'
import { KeptPrompts } from './context/kept-prompts.ts'
import { sessionDefaults } from './session/session-defaults.ts'
import { Schedule } from './worker/schedule.ts'

export interface HostOptions extends AgentsOptions {
  /** How often tenants are looked at in which nobody asked this process for anything. Default 30 seconds. */
  everyTenantMs?: number
}

export class AgentHost {
  readonly #holdfast: Holdfast
  readonly #options: HostOptions
  /** Where somebody asked this process for something, or it found something to do. */
  readonly #tenants = new Map<TenantId, Agents>()
  readonly #schedules: readonly Schedule[] = []
  readonly #prompts = new KeptPrompts()
  #isClosing = false
  /** Ids of the agents that work here. */
  readonly agentIds: ReadonlySet<string>

  constructor(holdfast: Holdfast, options: HostOptions) {
    this.#holdfast = holdfast
    this.#options = options
    this.agentIds = new Set(options.agents.map(({ id }) => id))
    const { pollMs = 1_000, everyTenantMs = 30_000, onError = warn } = options
    if (pollMs === 0) return
    const all = new Schedule(everyTenantMs, () => this.recover(), onError)
    this.#schedules = [new Schedule(pollMs, () => this.#recoverIn([...this.#tenants.keys()]), onError), all]
    // What a process left that died may wait for this one.
    void all.now()
  }

  /** The agents as they work in a tenant. */
  in(tenantId: TenantId): Agents {
    const known = this.#tenants.get(tenantId)
    if (known) return known
    const agents = new WorkingAgents(
      this.#holdfast.forTenant(tenantId),
      { ...this.#options, pollMs: 0 },
      this.#prompts,
    )
    this.#tenants.set(tenantId, agents)
    if (this.#isClosing) void agents.close({ drainMs: 0 })
    return agents
  }

  /** What a session of the agent has where its maker does not say otherwise; nothing for agents elsewhere. */
  defaultsOf(agentId: string): ReturnType<typeof sessionDefaults> | undefined {
    const agent = this.#options.agents.find(({ id }) => id === agentId)
    return agent && sessionDefaults(agent)
  }

  /** Takes on what others left, in every tenant. */
  async recover(): Promise<void> {
    await this.#recoverIn(await this.#holdfast.listTenants())
  }

  /** As `Agents.close`. Idempotent. */
  async close(options?: CloseAgentsOptions): Promise<void> {
    this.#isClosing = true
    const looked = Promise.all(this.#schedules.map((schedule) => schedule.end()))
    await Promise.all([...this.#tenants.values()].map((agents) => agents.close(options)))
    await looked
  }

  /** One tenant's trouble never hides another's turns. */
  async #recoverIn(tenantIds: readonly TenantId[]): Promise<void> {
    const { onError = warn } = this.#options
    for (const tenantId of tenantIds) {
      if (this.#isClosing) return
      try {
        if (await this.#isWanted(tenantId)) await this.in(tenantId).recover()
      } catch (error) {
        onError(error)
      }
    }
  }

  async #isWanted(tenantId: TenantId): Promise<boolean> {
    if (this.#tenants.has(tenantId)) return true
    const due = await this.#holdfast.forTenant(tenantId).sessions.listDue({ limit: 1 })
    return due.length > 0
  }
}

export function hostAgents(holdfast: Holdfast, options: HostOptions): AgentHost {
  return new AgentHost(holdfast, options)
}
