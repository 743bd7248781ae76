/**
 * The pairing rules of two providers, written from their own documents and independent of the view that they judge.
 * Each returns what is wrong; an empty list is a request that the provider would take.
 */
import type { ProviderMessage } from './provider-view.ts'

interface AnthropicTurn {
  role: 'user' | 'assistant'
  toolUses: string[]
  toolResults: string[]
  /** Kinds of its content, in order. */
  content: ('tool_result' | 'other')[]
}

/** Tool results are content of the user turn that follows; adjacent turns of one role are one turn. */
function anthropicTurns(messages: readonly ProviderMessage[]): AnthropicTurn[] {
  const turns: AnthropicTurn[] = []
  for (const { role, parts } of messages) {
    if (role === 'system') continue
    const turn = turnFor(turns, role === 'assistant' ? 'assistant' : 'user')
    for (const part of parts) {
      if (part.type === 'tool_call') turn.toolUses.push(part.callId)
      if (part.type === 'tool_result') turn.toolResults.push(part.callId)
      turn.content.push(part.type === 'tool_result' ? 'tool_result' : 'other')
    }
  }
  return turns
}

function turnFor(turns: AnthropicTurn[], role: AnthropicTurn['role']): AnthropicTurn {
  const last = turns.at(-1)
  if (last?.role === role && last.toolUses.length === 0) return last
  const turn: AnthropicTurn = { role, toolUses: [], toolResults: [], content: [] }
  turns.push(turn)
  return turn
}

/**
 * Each `tool_use` has an id of its own and one `tool_result` in the next user turn, at its start; no other `tool_result` is
 * legal. The user speaks first; text is not blank; reasoning leads to something.
 */
export function anthropicFaults(messages: readonly ProviderMessage[]): string[] {
  const faults: string[] = []
  if (messages.some((message) => message.parts.length === 0)) faults.push('a message without content')
  if (messages.some(({ parts }) => parts.some((part) => part.type === 'text' && part.text.trim() === '')))
    faults.push('blank text')
  if (messages.some(({ parts }) => parts.at(-1)?.type === 'reasoning')) faults.push('reasoning at the end')
  const turns = anthropicTurns(messages)
  if (turns[0]?.role === 'assistant') faults.push('the assistant speaks first')
  const ids = turns.flatMap((turn) => turn.toolUses)
  if (new Set(ids).size < ids.length) faults.push('two tool_use share an id')
  turns.forEach((turn, i) => {
    const before = turns[i - 1]
    const wanted = turn.role === 'user' && before?.role === 'assistant' ? before.toolUses : []
    if (turn.role === 'user' && turn.toolUses.length > 0) faults.push('tool_use in a user turn')
    if (turn.role === 'assistant' && turn.toolResults.length > 0)
      faults.push('tool_result in an assistant turn')
    if (turn.content.lastIndexOf('tool_result') >= turn.toolResults.length)
      faults.push('tool_result after other content')
    for (const id of turn.toolResults)
      if (!wanted.includes(id)) faults.push(`tool_result ${id} without its tool_use`)
    for (const id of wanted) {
      const results = turn.toolResults.filter((result) => result === id).length
      if (results !== 1) faults.push(`tool_use ${id} has ${results} results`)
    }
    const next = turns[i + 1]
    if (turn.toolUses.length > 0 && next?.role !== 'user')
      faults.push('tool_use without a user turn after it')
  })
  return faults
}

/** An assistant message with `tool_calls` is followed by one tool message per id; a tool message stands nowhere else. */
export function openAiFaults(messages: readonly ProviderMessage[]): string[] {
  const faults: string[] = []
  let open: string[] = []
  for (const { role, parts } of messages) {
    const calls = parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
    const results = parts.flatMap((part) => (part.type === 'tool_result' ? [part.callId] : []))
    if (parts.length === 0) faults.push('a message without content')
    if (role !== 'tool') {
      for (const id of open) faults.push(`tool call ${id} has no tool message`)
      open = []
      if (results.length > 0) faults.push(`a tool result in a message of the ${role}`)
    }
    if (calls.length > 0 && role !== 'assistant') faults.push(`tool calls in a message of the ${role}`)
    if (role === 'assistant') open = calls
    if (role !== 'tool') continue
    if (results.length !== 1) faults.push('a tool message without exactly one result')
    for (const id of results) {
      if (!open.includes(id)) faults.push(`tool message ${id} answers no open call`)
      open = open.filter((call) => call !== id)
    }
  }
  for (const id of open) faults.push(`tool call ${id} has no tool message`)
  return faults
}
