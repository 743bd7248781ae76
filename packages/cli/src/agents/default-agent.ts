/** The agent that is there without any configuration. */
import { type Agent, askQuestion, defineAgent } from '@holdfast/agent'
import { clockTool } from './clock-tool.ts'
import { defaultAgentId } from './default-agent-id.ts'
import type { Model } from './model-name.ts'

const instructions = [
  'You are a helpful assistant. Answer plainly and briefly.',
  'Look at the clock where the date or the time matters; you do not know them otherwise.',
  'Ask a question when only the user can know the answer.',
].join('\n')

/** `now`: milliseconds. */
export function defaultAgent(model: Model, now: () => number): Agent {
  return defineAgent({
    id: defaultAgentId,
    name: 'Assistant',
    instructions,
    model,
    tools: [clockTool(now), askQuestion],
  })
}
