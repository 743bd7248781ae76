/** Which agents there are: those of the config file, else one that needs no configuration. */
import type { Agent } from '@holdfast/agent'
import type { Settings } from '../place/settings.ts'
import type { World } from '../terminal/world.ts'
import { modelName } from './model-name.ts'

export interface AgentsHere {
  agents: readonly Agent[]
  /** What answers, for people: `anthropic/claude-sonnet-5`; several with commas; empty without agents. */
  model: string
  /** Who said so: the config file, an environment variable, the server that was found, or why there is no model. */
  from: string
}

/**
 * Throws `invalid_input` for a config file that names what is no agent, and for a HOLDFAST_MODEL that cannot be had.
 */
export async function agentsOf(
  { env, now }: Pick<World, 'env' | 'now'>,
  { agents: configured }: Pick<Settings, 'agents'>,
): Promise<AgentsHere> {
  if (configured) {
    const { configuredAgents } = await import('./configured-agents.ts')
    const agents = await configuredAgents(configured)
    const models = new Set(agents.flatMap(({ models: [first] }) => (first ? [modelName(first)] : [])))
    return { agents, model: [...models].join(', '), from: configured.path }
  }
  const { findModel } = await import('./find-model.ts')
  const { defaultAgent } = await import('./default-agent.ts')
  const { model, from } = await findModel(env)
  return { agents: [defaultAgent(model, now)], model: modelName(model), from }
}
