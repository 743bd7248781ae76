import type { CreateInput } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'

/** What a session of the agent has where its maker does not say otherwise. */
export function sessionDefaults({
  name,
  budget,
  personaId,
}: Agent): Pick<CreateInput, 'agentName' | 'budget' | 'personaId'> {
  return {
    agentName: name,
    ...(budget && { budget }),
    ...(personaId !== undefined && { personaId }),
  }
}
