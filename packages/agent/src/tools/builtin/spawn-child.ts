import { z } from 'zod'
import { type ChildRules, defineTool, type Tool } from '../../define/tool.ts'

const amounts = z
  .object({ tokens: z.int().min(1).optional(), toolCalls: z.int().min(0).optional() })
  .describe('What it may use at most, out of what you have left')

export interface Task {
  agent: string
  task: string
  budget?: { tokens?: number | undefined; toolCalls?: number | undefined } | undefined
}

/**
 * Lets a model give a piece of work to another agent, in a session of its own with a part of what is left of the budget. The
 * call's result is what that one said at its end.
 */
export function spawnChild(rules: ChildRules): Tool {
  const names = Object.keys(rules.agents)
  const listed = names.map((name) => `${name}: ${rules.agents[name]}`).join('; ')
  const input = z.object({
    agent: z.enum(names as [string, ...string[]]),
    task: z.string().min(1).describe('Everything it needs to know: it sees nothing of this conversation'),
    budget: amounts.optional(),
  })
  const tool = defineTool({
    name: 'spawn_child',
    description: `Gives a task to another agent and waits for its result. Agents: ${listed}`,
    input,
    execute: () => undefined,
  })
  return { ...tool, does: { kind: 'spawn', rules } }
}
