/**
 * A view as a request to OpenAI's Chat Completions, and the rules of that interface: an assistant message with
 * `tool_calls` is followed by one tool message for each id, before anything else; a tool message stands nowhere else; an
 * assistant message without calls has content.
 */
import type { ProviderMessage } from '@holdfast/core'

interface Message {
  role: ProviderMessage['role']
  content: string | null
  tool_calls?: string[]
  tool_call_id?: string
}

export function openAiChatFaults(view: readonly ProviderMessage[]): string[] {
  const faults: string[] = []
  let waiting = new Set<string>()
  for (const [at, message] of requestOf(view).entries()) {
    const { role, content, tool_calls = [], tool_call_id } = message
    if (role === 'tool') {
      if (tool_call_id === undefined || !waiting.delete(tool_call_id))
        faults.push(`messages.${at}: role 'tool' must be a response to a preceding message with 'tool_calls'`)
      continue
    }
    faults.push(...missing(waiting))
    if (content === null && tool_calls.length === 0)
      faults.push(`messages.${at}: expected a string, got null`)
    if (tool_calls.length > 0 && role !== 'assistant')
      faults.push(`messages.${at}: 'tool_calls' of the ${role}`)
    waiting = new Set(tool_calls)
    if (waiting.size < tool_calls.length) faults.push(`messages.${at}: two 'tool_calls' share an id`)
  }
  return [...faults, ...missing(waiting)]
}

function missing(waiting: ReadonlySet<string>): string[] {
  return [...waiting].map((id) => `'tool_calls' must be followed by tool messages: none for ${id}`)
}

/** Each result is a message of its own; this interface has no place for reasoning. */
function requestOf(view: readonly ProviderMessage[]): Message[] {
  return view.flatMap(({ role, parts }) => {
    const results = parts.flatMap((part) => (part.type === 'tool_result' ? [part] : []))
    const answers = results.map(
      ({ callId, output }): Message => ({
        role: 'tool',
        content: JSON.stringify(output),
        tool_call_id: callId,
      }),
    )
    if (role === 'tool' && results.length === parts.length && parts.length > 0) return answers
    const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
    const said = { role, content: textOf(parts), ...(calls.length > 0 && { tool_calls: calls }) }
    return [said, ...answers]
  })
}

function textOf(parts: ProviderMessage['parts']): string | null {
  const texts = parts.flatMap((part) => {
    if (part.type === 'text') return [part.text]
    return part.type === 'data' || part.type === 'file' || part.type === 'image' ? [JSON.stringify(part)] : []
  })
  return texts.length > 0 ? texts.join('\n') : null
}
