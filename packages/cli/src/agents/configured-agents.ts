/** The agents that a config file names. */
import type { Agent } from '@holdfast/agent'
import { HoldfastError } from '@holdfast/protocol'
import type { ConfiguredAgents } from '../place/config.ts'

/** Throws `invalid_input` with the path of the file for what is no agent, and for two of one id. */
export async function configuredAgents({ path, given }: ConfiguredAgents): Promise<readonly Agent[]> {
  const agents = typeof given === 'function' ? await made(path, given as () => unknown) : given
  if (!Array.isArray(agents)) throw invalid(path, 'agents: expected a list.')
  const ids = new Set<string>()
  for (const [i, agent] of agents.entries()) {
    if (!isAgent(agent)) {
      throw invalid(path, `agents[${i}] is no agent: defineAgent of @holdfast/agent makes one.`)
    }
    if (ids.has(agent.id)) throw invalid(path, `agents: two of them have the id ${agent.id}.`)
    ids.add(agent.id)
  }
  return agents
}

async function made(path: string, make: () => unknown): Promise<unknown> {
  try {
    return await make()
  } catch (cause) {
    throw invalid(path, `agents: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

/** It may come of another copy of the package, so its shape is looked at. */
function isAgent(value: unknown): value is Agent {
  if (typeof value !== 'object' || value === null) return false
  const { id, models, tools } = value as Partial<Agent>
  return typeof id === 'string' && Array.isArray(models) && models.length > 0 && tools instanceof Map
}

function invalid(path: string, message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('invalid_input', `${path}: ${message}`, { cause })
}
