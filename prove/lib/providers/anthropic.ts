/**
 * A view as a request to Anthropic's Messages, and the rules of that interface, from its documents and its errors:
 * the user speaks first and last and turns alternate; no content is empty or blank; each `tool_use` has an id of its own
 * and one `tool_result`, at the start of the next message; thinking is signed and never the end of a message.
 */
import type { ProviderMessage } from '@holdfast/core'

type Block =
  | { type: 'text'; text: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'tool_use'; id: string; name: string; input: unknown }
  | { type: 'tool_result'; tool_use_id: string; content: string }

interface Message {
  role: 'user' | 'assistant'
  content: Block[]
}

export function anthropicFaults(view: readonly ProviderMessage[]): string[] {
  const messages = requestOf(view)
  const ids = messages.flatMap(({ content }) => content.flatMap((b) => (b.type === 'tool_use' ? [b.id] : [])))
  return [
    ...(messages[0]?.role === 'user' ? [] : ['messages: first message must use the user role']),
    ...(messages.at(-1)?.role === 'user' ? [] : ['messages: the conversation must end with a user message']),
    ...(new Set(ids).size === ids.length ? [] : ['`tool_use` ids must be unique']),
    ...messages.flatMap((message, at) =>
      [
        ...contentFaults(message),
        ...(message.role === 'user' ? resultFaults(message, messages[at - 1]) : callFaults(message)),
        ...(message.role === 'assistant' ? unanswered(message, messages[at + 1]) : []),
      ].map((fault) => `messages.${at}: ${fault}`),
    ),
  ]
}

/** System text goes beside the messages, unsigned thinking is left out, and neighbours of one role are one message. */
function requestOf(view: readonly ProviderMessage[]): Message[] {
  const messages: Message[] = []
  for (const { role, parts } of view) {
    if (role === 'system') continue
    const message: Message = { role: role === 'assistant' ? role : 'user', content: parts.flatMap(blocks) }
    const last = messages.at(-1)
    if (last?.role === message.role && message.content.length > 0) last.content.push(...message.content)
    else messages.push(message)
  }
  return messages
}

function blocks(part: ProviderMessage['parts'][number]): Block[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text }]
    case 'reasoning':
      if (part.signature === undefined) return []
      return [{ type: 'thinking', thinking: part.text, signature: part.signature }]
    case 'tool_call':
      return [{ type: 'tool_use', id: part.callId, name: part.name, input: part.input }]
    case 'tool_result':
      return [{ type: 'tool_result', tool_use_id: part.callId, content: JSON.stringify(part.output) }]
    default:
      return [{ type: 'text', text: JSON.stringify(part) }]
  }
}

function contentFaults({ content }: Message): string[] {
  if (content.length === 0) return ['all messages must have non-empty content']
  const blank = content.some((block) => block.type === 'text' && block.text.trim() === '')
  return blank ? ['text content blocks must contain non-whitespace text'] : []
}

function callFaults({ content }: Message): string[] {
  return [
    ...(content.some(({ type }) => type === 'tool_result') ? ['`tool_result` blocks are of the user'] : []),
    ...(content.at(-1)?.type === 'thinking' ? ['the final block cannot be `thinking`'] : []),
  ]
}

function resultFaults({ content }: Message, before: Message | undefined): string[] {
  const first = content.findIndex(({ type }) => type !== 'tool_result')
  const late = first !== -1 && content.slice(first).some(({ type }) => type === 'tool_result')
  const calls = before?.content.flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])) ?? []
  const strays = resultsOf(content).filter((id) => !calls.includes(id))
  return [
    ...(content.some(({ type }) => type === 'tool_use' || type === 'thinking') ? ['not of the user'] : []),
    ...(late ? ['`tool_result` blocks must come first'] : []),
    ...strays.map((id) => `unexpected \`tool_use_id\` ${id}: no \`tool_use\` in the message before`),
  ]
}

function unanswered({ content }: Message, after: Message | undefined): string[] {
  const results = resultsOf(after?.content ?? [])
  return content.flatMap((block) => {
    if (block.type !== 'tool_use') return []
    const count = results.filter((id) => id === block.id).length
    return count === 1 ? [] : [`\`tool_use\` ${block.id} has ${count} \`tool_result\` blocks right after it`]
  })
}

function resultsOf(content: readonly Block[]): string[] {
  return content.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
}
