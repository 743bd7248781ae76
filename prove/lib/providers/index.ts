/** The providers whose rules every view is held to. None of them shares code with another, or with what makes the view. */
import type { ProviderMessage } from '@holdfast/core'
import { anthropicFaults } from './anthropic.ts'
import { geminiFaults } from './gemini.ts'
import { openAiChatFaults } from './openai-chat.ts'
import { openAiResponsesFaults } from './openai-responses.ts'

export const providers = {
  anthropic: anthropicFaults,
  chat: openAiChatFaults,
  responses: openAiResponsesFaults,
  gemini: geminiFaults,
} as const satisfies Record<string, (view: readonly ProviderMessage[]) => string[]>

export type Provider = keyof typeof providers
export const providerNames = Object.keys(providers) as Provider[]

/** A request that goes on from the view: when the model spoke last, the user speaks again. */
export function requestFrom(view: readonly ProviderMessage[]): ProviderMessage[] {
  const last = view.findLast(({ role }) => role !== 'system')
  const goOn: ProviderMessage = { role: 'user', parts: [{ type: 'text', text: 'Go on.' }] }
  return last === undefined || last.role === 'assistant' ? [...view, goOn] : [...view]
}
