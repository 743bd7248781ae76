/** From Claude's content blocks to message parts and back-references; fields we have no place for stay in `provider`. */
import type { JsonObject, MessagePart, ToolOutcome } from '@holdfast/protocol'
import { type Block, textOf } from './entry.ts'
import { imageOf } from './images.ts'

export function partOf(block: Block): MessagePart {
  switch (block.type) {
    case 'text': {
      const { type: _type, text, ...rest } = block
      return { type: 'text', text: textOf(text) ?? '', ...beside(rest) }
    }
    case 'thinking': {
      const { type: _type, thinking, signature, ...rest } = block
      const signed = typeof signature === 'string' ? { signature } : {}
      return { type: 'reasoning', text: textOf(thinking) ?? '', ...signed, ...beside(rest) }
    }
    case 'redacted_thinking': {
      const { type: _type, data, ...rest } = block
      const encrypted = typeof data === 'string' ? { encrypted: data } : {}
      return { type: 'reasoning', text: '', ...encrypted, ...beside(rest) }
    }
    case 'tool_use': {
      const { type: _type, id, name, input, ...rest } = block
      const call = { callId: textOf(id) ?? 'unnamed', name: textOf(name) ?? 'unnamed', input: input ?? null }
      return { type: 'tool_call', ...call, ...beside(rest) }
    }
    default:
      return imageOf(block) ?? { type: 'data', name: `claude_code.${block.type}`, data: block }
  }
}

export interface ToolResult {
  callId: string
  output: NonNullable<JsonObject[string]>
  outcome: ToolOutcome
  provider?: JsonObject
}

export function resultOf(block: Block, toolUseResult: unknown): ToolResult {
  const { type: _type, tool_use_id, content, ...rest } = block
  return {
    callId: textOf(tool_use_id) ?? 'unnamed',
    output: content ?? '',
    outcome: outcomeOf(block, toolUseResult),
    ...beside(rest),
  }
}

const refusals = ['User rejected tool use', "Error: The user doesn't want to proceed with this tool use"]

function outcomeOf(block: Block, toolUseResult: unknown): ToolOutcome {
  if (block.is_error !== true) return 'ok'
  const refused = typeof toolUseResult === 'string' && refusals.some((text) => toolUseResult.startsWith(text))
  return refused ? 'denied' : 'error'
}

function beside(rest: JsonObject): { provider?: JsonObject } {
  return Object.keys(rest).length > 0 ? { provider: rest } : {}
}
