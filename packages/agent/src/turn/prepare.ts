/** What the next model call is made with: the context as it is now, the tools, the settings, and how many tokens that is. */
import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { ProviderMessage } from '@holdfast/core'
import type { PromptSnapshot } from '@holdfast/protocol'
import { type CallBudget, callBudget } from '../budget/call-budget.ts'
import { compactTurn, requireFit } from '../context/compact-turn.ts'
import { promptSnapshotOf } from '../context/system-prompt.ts'
import type { Agent } from '../define/agent.ts'
import { promptOf } from '../model/prompt.ts'
import type { Turn } from './turn.ts'

export interface Tokens {
  system: number
  summary: number
  window: number
  total: number
}

export interface Prepared {
  options: LanguageModelV4CallOptions
  /** The system prompt, where it is not the one that the session has. */
  newPrompt?: PromptSnapshot
  tokens: Tokens
  budget: CallBudget
}

/** Looks again after each compaction, until the context fits or nothing more can be done about it. */
export async function prepare(turn: Turn): Promise<Prepared> {
  for (let tries = 0; ; tries++) {
    const prepared = await look(turn)
    const isLarge = prepared.tokens.total >= prepared.budget.triggerTokens
    if ((isLarge || turn.forced) && tries < mostCompactions && (await compactTurn(turn, prepared))) continue
    requireFit(prepared)
    return prepared
  }
}

const mostCompactions = 8

async function look(turn: Turn): Promise<Prepared> {
  const { agent, session } = turn
  const [view, record] = await Promise.all([session.providerView(), session.view()])
  turn.prompt ??= await promptSnapshotOf(agent, record, turn.world.holdfast)
  const { effectiveText } = turn.prompt
  const tools = toolsOf(agent)
  const options: LanguageModelV4CallOptions = {
    ...agent.settings,
    prompt: promptOf(effectiveText, view, new Map()),
    ...(tools.length > 0 && { tools }),
    ...(agent.output && { responseFormat: { type: 'json', schema: agent.output.json } }),
    ...(record.reasoningEffort && { reasoning: record.reasoningEffort }),
  }
  return {
    options,
    ...(record.promptSnapshot?.effectiveText !== effectiveText && { newPrompt: turn.prompt }),
    tokens: await tokensOf(turn, effectiveText, tools, view),
    budget: callBudget(record.budget),
  }
}

function toolsOf({ tools }: Agent): LanguageModelV4FunctionTool[] {
  return [...tools.values()].map(({ name, description, input }) => ({
    type: 'function',
    name,
    description,
    inputSchema: input.json,
  }))
}

async function tokensOf(
  turn: Turn,
  system: string,
  tools: readonly LanguageModelV4FunctionTool[],
  view: readonly ProviderMessage[],
): Promise<Tokens> {
  const count = await turn.world.counter
  const fixed = count(system) + (tools.length > 0 ? count(JSON.stringify(tools)) : 0)
  const window = view.reduce((sum, { parts }) => sum + count(JSON.stringify(parts)), 0)
  return { system: fixed, summary: 0, window, total: fixed + window }
}
