/** What is looked at in every prompt that a model is given: its size, what must be in it, and that calls have their results. */
import type { LanguageModelV4Prompt } from '@ai-sdk/provider'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { pairingProblems, type Turn } from '../pairing.ts'

export interface PromptTerms {
  /** Tokens of text that there is room for. */
  room: number
  /** Texts that may never go. */
  pinned: readonly string[]
}

export interface PromptFaults {
  'beyond the budget': string[]
  'pinned lost': string[]
  unpaired: string[]
}

export function promptFaults(prompt: LanguageModelV4Prompt, { room, pinned }: PromptTerms): PromptFaults {
  const text = prompt.map(textOf).join('\n')
  const tokens = tokensOf(text)
  return {
    'beyond the budget': tokens > room ? [`${tokens} tokens, and there is room for ${room}`] : [],
    'pinned lost': pinned.filter((fact) => !text.includes(fact)),
    unpaired: pairingProblems(prompt.map(turnOf)),
  }
}

/** In pieces: a tokenizer takes long for long runs of equal characters. */
function tokensOf(text: string): number {
  let tokens = 0
  const none = { disallowedSpecial: new Set<string>() }
  for (let at = 0; at < text.length; at += 4_096) tokens += countTokens(text.slice(at, at + 4_096), none)
  return tokens
}

type Message = LanguageModelV4Prompt[number]

function textOf({ role, content }: Message): string {
  if (role === 'system') return content
  return content
    .map((part) => {
      switch (part.type) {
        case 'text':
        case 'reasoning':
          return part.text
        case 'tool-call':
          return `${part.toolName} ${JSON.stringify(part.input)}`
        case 'tool-result':
          return 'value' in part.output ? JSON.stringify(part.output.value) : ''
        default:
          return ''
      }
    })
    .join('\n')
}

function turnOf({ role, content }: Message): Turn {
  const parts = typeof content === 'string' ? [] : content
  return {
    role,
    calls: parts.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : [])),
    answers: parts.flatMap((part) => (part.type === 'tool-result' ? [part.toolCallId] : [])),
  }
}
