/** What the next model call is made with: the context as it is now, the tools, the settings, and how many tokens that is. */
import type { LanguageModelV4CallOptions, LanguageModelV4FunctionTool } from '@ai-sdk/provider'
import { type ProviderMessage, type ResolvedBudget, resolveBudget } from '@holdfast/core'
import type { TokenBudget } from '@holdfast/protocol'
import { promptSnapshotOf } from '../context/system-prompt.ts'
import type { Agent } from '../define/agent.ts'
import { promptOf } from '../model/prompt.ts'
import type { Turn } from './turn.ts'

export interface Prepared {
  options: LanguageModelV4CallOptions
  tokens: Tokens
  budget: CallBudget
}

interface Tokens {
  system: number
  summary: number
  window: number
  total: number
}

/** What the session's budget says about one call. */
interface CallBudget extends ResolvedBudget {
  /** What an answer may have, where somebody said so. */
  maxOutputTokens?: number
  /** There is a limit to what may be spent. */
  isSpend: boolean
  /** Milliseconds that workers may spend on one turn. */
  wallMs?: number
}

export async function prepare(turn: Turn): Promise<Prepared> {
  const { agent, session } = turn
  const [view, record] = await Promise.all([session.providerView(), session.view()])
  const { effectiveText } = promptSnapshotOf(agent, record)
  const tools = toolsOf(agent)
  const options: LanguageModelV4CallOptions = {
    ...agent.settings,
    prompt: promptOf(effectiveText, view, new Map()),
    ...(tools.length > 0 && { tools }),
  }
  return {
    options,
    tokens: await tokensOf(turn, effectiveText, tools, view),
    budget: callBudget(record.budget),
  }
}

function callBudget(budget: TokenBudget | undefined): CallBudget {
  const { tokens, costMicrocents, toolCalls, wallMs } = budget?.spend ?? {}
  const isSpend = [tokens, costMicrocents, toolCalls].some((limit) => limit !== undefined)
  const chosen = budget?.maxOutputTokens
  return {
    ...resolveBudget(budget),
    isSpend,
    ...(chosen !== undefined && { maxOutputTokens: chosen }),
    ...(wallMs !== undefined && { wallMs }),
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
