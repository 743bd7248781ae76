/**
 * A view as the input of OpenAI's Responses, and the rules of that interface: every `function_call` has one
 * `function_call_output` after it and every output its call; a reasoning item is followed by what it led to; a message
 * has content.
 */
import type { ProviderMessage } from '@holdfast/core'

type Item =
  | { type: 'message'; role: string; content: string[] }
  | { type: 'reasoning'; encrypted_content: string }
  | { type: 'function_call' | 'function_call_output'; call_id: string }

export function openAiResponsesFaults(view: readonly ProviderMessage[]): string[] {
  const faults: string[] = []
  const open = new Set<string>()
  const items = view.flatMap(itemsOf)
  for (const [at, item] of items.entries()) {
    if (item.type === 'message') {
      if (item.content.length === 0) faults.push(`input.${at}: a message without content`)
      if (item.role === 'user' && open.size > 0)
        faults.push(`input.${at}: the user speaks before ${[...open]} have an output`)
    } else if (item.type === 'reasoning') {
      if (!isOutput(items[at + 1]))
        faults.push(`input.${at}: 'reasoning' was provided without its required following item`)
    } else if (item.type === 'function_call') {
      if (open.has(item.call_id)) faults.push(`input.${at}: function call ${item.call_id} was made twice`)
      open.add(item.call_id)
    } else if (!open.delete(item.call_id))
      faults.push(`input.${at}: no tool call found for function call output ${item.call_id}`)
  }
  return [...faults, ...[...open].map((id) => `no tool output found for function call ${id}`)]
}

/** What a model gives: only that can follow on its reasoning. */
function isOutput(item: Item | undefined): boolean {
  if (item?.type === 'message') return item.role === 'assistant'
  return item?.type === 'function_call' || item?.type === 'reasoning'
}

/** Reasoning goes along where it can be sent back: encrypted. */
function itemsOf({ role, parts }: ProviderMessage): Item[] {
  const items: Item[] = []
  for (const part of parts) {
    if (part.type === 'tool_call') items.push({ type: 'function_call', call_id: part.callId })
    else if (part.type === 'tool_result') items.push({ type: 'function_call_output', call_id: part.callId })
    else if (part.type !== 'reasoning') items.push({ type: 'message', role, content: [JSON.stringify(part)] })
    else if (part.encrypted !== undefined)
      items.push({ type: 'reasoning', encrypted_content: part.encrypted })
  }
  return items.length === 0 ? [{ type: 'message', role, content: [] }] : items
}
