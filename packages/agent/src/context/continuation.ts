/**
 * A request that goes on from what the provider holds: only what came after its last answer is sent. Whatever the provider
 * read before must stand in the context unchanged; otherwise the whole context is sent, and a new one begins at the provider.
 */
import type { LanguageModelV4, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { ContextState, ProviderMessage } from '@holdfast/core'
import { toMs } from '@holdfast/protocol'
import type { Agent } from '../define/agent.ts'
import { type KeptResponse, keptResponse } from '../model/response.ts'
import type { KeptPrompt, Window } from './kept-prompt.ts'
import type { Size } from './size-up.ts'

export interface Continuation {
  contextId: string
  response: KeptResponse
  /** What is new. */
  prompt: LanguageModelV4Prompt
  messages: number
  tokens: number
}

/** A context at the provider, and what it would be gone on with. */
export interface Held {
  state: ContextState
  size: Size
  window: Window
  kept: KeptPrompt
  nowMs: number
}

/** Undefined: the provider holds nothing, or the agent does not want it to. `why`: what it holds is of no use any more. */
export function continuationOf(
  { stateful }: Agent,
  { provider, modelId }: Pick<LanguageModelV4, 'provider' | 'modelId'>,
  { state: { providerContext, lastCall }, size: { broken }, window, kept, nowMs }: Held,
): Continuation | { why: string } | undefined {
  if (!stateful || !providerContext) return undefined
  const { contextId } = providerContext
  if (providerContext.providerId !== provider || providerContext.model !== modelId)
    return { why: 'the model changed' }
  if (broken) return { why: `${broken.kind}${broken.name ? ` ${broken.name}` : ''}: ${broken.change}` }
  const { usage, manifest } = lastCall
  if (!manifest || !usage?.measuredAt) return { why: 'what was sent last is not known' }
  if (nowMs - toMs(usage.measuredAt) > stateful.maxAgeMs) return { why: 'expired' }
  const at = window.messages.findLastIndex(isKept)
  const response = keptResponse(window.messages[at]?.parts ?? [])
  if (!response || at === window.messages.length - 1)
    return { why: 'the context does not go on from its last answer' }
  const tokens = (window.marks.at(-1)?.tokens ?? 0) - (window.marks[at]?.tokens ?? 0)
  const messages = window.messages.length - at - 1
  return { contextId, response, prompt: kept.promptOf(window.messages, at + 1), messages, tokens }
}

function isKept({ role, parts }: ProviderMessage): boolean {
  return role === 'assistant' && keptResponse(parts) !== undefined
}
