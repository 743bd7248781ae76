/** What an agent is: instructions, models, tools and limits. It holds no state; a session does. */
import { HoldfastError, id, parseInput, type TokenBudgetInput } from '@holdfast/protocol'
import type { LanguageModel } from 'ai'
import type { GoalRules } from '../goals/evaluate.ts'
import type { CallSettings } from '../model/settings.ts'
import { budgetOf } from './budget.ts'
import { atMost, timerMs } from './numbers.ts'
import { type Schema, type SchemaSource, schemaOf } from './schema.ts'
import type { Tool } from './tool.ts'

export interface AgentInput {
  id: string
  name?: string
  /** The system prompt. */
  instructions?: string
  /** The first is used; the next ones when it cannot be reached. */
  model: LanguageModel | readonly LanguageModel[]
  tools?: readonly Tool[]
  /** What sessions that are made for this agent may use, unless they say otherwise. */
  budget?: TokenBudgetInput
  personaId?: string
  settings?: CallSettings
  /** The final answer is JSON that fits it. */
  output?: SchemaSource
  /** How it is told whether an answer reaches the goal of a session that has one. */
  goal?: GoalRules
  /**
   * Whether a provider that keeps its answers (OpenAI's Responses) is sent only what came after the last one. `maxAgeMs`: for
   * how long it is relied on that they are kept; default 29 days. Default false. Other providers are sent the whole context.
   */
  stateful?: boolean | { maxAgeMs: number }
  /** What summaries of the context must keep, where neither whoever asks for one nor the session says it. */
  compressionInstructions?: string
  /** Model calls in one turn; then the turn ends. Default 64. */
  maxRounds?: number
  /** Tries of one model call with one model, the first included. Default 3. */
  maxAttempts?: number
  /** At a limit of the budget: ask whether to raise it (default), or end the turn. A child's turn ends. */
  onLimit?: 'ask' | 'end'
}

export interface Agent {
  readonly id: string
  readonly name: string
  readonly instructions: string
  readonly models: readonly LanguageModel[]
  readonly tools: ReadonlyMap<string, Tool>
  readonly budget: TokenBudgetInput | undefined
  readonly personaId: string | undefined
  readonly settings: CallSettings
  readonly output: Schema | undefined
  readonly goal: GoalRules | undefined
  readonly stateful: { maxAgeMs: number } | undefined
  readonly compressionInstructions: string | undefined
  readonly maxRounds: number
  readonly maxAttempts: number
  readonly onLimit: 'ask' | 'end'
}

/** Throws `invalid_input` for an agent without a model, two tools of one name, and what no turn or session can be made with. */
export function defineAgent(agent: AgentInput): Agent {
  const agentId = parseInput(id, agent.id, 'agent.id')
  const what = `agent ${agentId}`
  return {
    id: agentId,
    name: agent.name ?? agentId,
    instructions: agent.instructions ?? '',
    models: modelsOf(agentId, agent.model),
    tools: toolsByName(agentId, agent.tools ?? []),
    budget: budgetOf(agent.budget, `${what}.budget`),
    personaId: agent.personaId,
    settings: agent.settings ?? {},
    output: agent.output && schemaOf(agent.output),
    goal: goalOf(agent.goal, `${what}.goal`),
    stateful: statefulOf(agent.stateful),
    compressionInstructions: agent.compressionInstructions,
    maxRounds: parseInput(atMost, agent.maxRounds ?? 64, `${what}.maxRounds`),
    maxAttempts: parseInput(atMost, agent.maxAttempts ?? 3, `${what}.maxAttempts`),
    onLimit: agent.onLimit ?? 'ask',
  }
}

function goalOf(goal: GoalRules | undefined, what: string): GoalRules | undefined {
  if (goal?.timeoutMs !== undefined) parseInput(timerMs, goal.timeoutMs, `${what}.timeoutMs`)
  return goal
}

function modelsOf(agentId: string, model: AgentInput['model']): readonly LanguageModel[] {
  const models = Array.isArray(model) ? (model as readonly LanguageModel[]) : [model as LanguageModel]
  if (models.length === 0) throw new HoldfastError('invalid_input', `agent ${agentId} has no model.`)
  if (models.every(isModel)) return models
  const expected = 'expected a language model, the name of one, or a list of them'
  throw new HoldfastError('invalid_input', `agent ${agentId}.model: ${expected}.`)
}

function isModel(model: LanguageModel | null | undefined): boolean {
  return typeof model === 'string' ? model !== '' : typeof model?.specificationVersion === 'string'
}

/** A day less than OpenAI keeps them. */
const keptMs = 29 * 24 * 60 * 60 * 1_000

function statefulOf(stateful: AgentInput['stateful']): Agent['stateful'] {
  if (!stateful) return undefined
  return stateful === true ? { maxAgeMs: keptMs } : stateful
}

function toolsByName(agentId: string, tools: readonly Tool[]): Map<string, Tool> {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  if (byName.size === tools.length) return byName
  throw new HoldfastError('invalid_input', `agent ${agentId} has two tools of one name.`)
}
