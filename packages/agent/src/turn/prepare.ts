/** What the next model call is made with: the context as it is now, the tools, the settings, and how many tokens that is. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
} from '@ai-sdk/provider'
import type { PromptBlock, PromptSnapshot } from '@holdfast/protocol'
import { type CallBudget, callBudget } from '../budget/call-budget.ts'
import { compactTurn, requireFit } from '../context/compact-turn.ts'
import type { KeptPrompt, Window } from '../context/kept-prompt.ts'
import { modelBlock, systemBlocks } from '../context/manifest.ts'
import { type Size, sizeUp } from '../context/size-up.ts'
import { promptSnapshotOf } from '../context/system-prompt.ts'
import type { Agent } from '../define/agent.ts'
import { resolveModel } from '../model/resolve.ts'
import type { Turn } from './turn.ts'

export interface Prepared extends Size {
  /** The model that it was sized up for: the agent's first. */
  model: LanguageModelV4
  options: LanguageModelV4CallOptions
  /** The system prompt, where it is not the one that the session has. */
  newPrompt?: PromptSnapshot
  budget: CallBudget
  /** What stands before the messages. */
  systemBlocks: readonly PromptBlock[]
  window: Window
  kept: KeptPrompt
}

/** Looks again after each compaction, until the context fits or nothing more can be done about it. */
export async function prepare(turn: Turn): Promise<Prepared> {
  const model = await firstModel(turn.agent)
  for (let tries = 0; ; tries++) {
    const prepared = await look(turn, model)
    const isLarge = prepared.tokens.total >= prepared.budget.triggerTokens
    if ((isLarge || turn.forced) && tries < mostCompactions && (await compactTurn(turn, prepared))) continue
    requireFit(prepared)
    return prepared
  }
}

const mostCompactions = 8

async function look(turn: Turn, model: LanguageModelV4): Promise<Prepared> {
  const { agent, session } = turn
  const count = await turn.world.counter
  turn.record ??= await session.view()
  turn.kept ??= turn.world.prompts.of(turn.world.holdfast.tenantId, session, count)
  turn.prompt ??= await promptSnapshotOf(agent, turn.record, turn.world.holdfast)
  // What a provider holds may be ended from outside; what was sent last is known after the first call.
  if (agent.stateful || !turn.before) turn.before = await session.contextState()
  const { effectiveText } = turn.prompt
  const { budget, promptSnapshot, reasoningEffort } = turn.record
  const window = await turn.kept.read(effectiveText)
  const tools = toolsOf(agent)
  turn.systemBlocks ??= systemBlocks(tools, turn.prompt.sections, count)
  return {
    model,
    options: {
      ...agent.settings,
      prompt: window.prompt,
      ...(tools.length > 0 && { tools }),
      ...(agent.output && { responseFormat: { type: 'json', schema: agent.output.json } }),
      ...(reasoningEffort && { reasoning: reasoningEffort }),
    },
    ...(promptSnapshot?.effectiveText !== effectiveText && { newPrompt: turn.prompt }),
    ...sizeUp([modelBlock(model), ...turn.systemBlocks], window, turn.before.lastCall),
    budget: callBudget(budget),
    systemBlocks: turn.systemBlocks,
    window,
    kept: turn.kept,
  }
}

export function firstModel({ models: [source] }: Agent): Promise<LanguageModelV4> {
  return resolveModel(source as NonNullable<typeof source>)
}

export function toolsOf({ tools }: Agent): LanguageModelV4FunctionTool[] {
  return [...tools.values()].map(({ name, description, input }) => ({
    type: 'function',
    name,
    description,
    inputSchema: input.json,
  }))
}
