/** What the next model call is made with: the context as it is now, the tools, the settings, and how many tokens that is. */
import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import type { PromptSnapshot } from '@holdfast/protocol'
import { type CallBudget, callBudget } from '../budget/call-budget.ts'
import { compactTurn, requireFit } from '../context/compact-turn.ts'
import { promptSnapshotOf } from '../context/system-prompt.ts'
import type { Agent } from '../define/agent.ts'
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
  const { agent } = turn
  const count = await turn.world.counter
  turn.record ??= await turn.session.view()
  turn.kept ??= turn.world.prompts.of(turn.session, count)
  turn.prompt ??= await promptSnapshotOf(agent, turn.record, turn.world.holdfast)
  const { effectiveText } = turn.prompt
  const { budget, promptSnapshot, reasoningEffort } = turn.record
  const window = await turn.kept.read()
  const tools = toolsOf(agent)
  turn.systemTokens ??= count(effectiveText) + (tools.length > 0 ? count(JSON.stringify(tools)) : 0)
  const system = turn.systemTokens
  return {
    options: {
      ...agent.settings,
      prompt:
        effectiveText === '' ? window.prompt : [{ role: 'system', content: effectiveText }, ...window.prompt],
      ...(tools.length > 0 && { tools }),
      ...(agent.output && { responseFormat: { type: 'json', schema: agent.output.json } }),
      ...(reasoningEffort && { reasoning: reasoningEffort }),
    },
    ...(promptSnapshot?.effectiveText !== effectiveText && { newPrompt: turn.prompt }),
    tokens: { system, summary: 0, window: window.tokens, total: system + window.tokens },
    budget: callBudget(budget),
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
