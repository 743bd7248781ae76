import { defaultAgentId } from './default-agent-id.ts'

/** Id of the agent that answers where none is named: `default` where it is, else the first. */
export function preferredAgent(agents: readonly { id: string }[]): string | undefined {
  const preferred = agents.find(({ id }) => id === defaultAgentId) ?? agents[0]
  return preferred?.id
}
