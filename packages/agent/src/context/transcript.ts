/** A stretch of the context as text: for a model that summarises it, and for a summary without a model. */
import type { MessagePart } from '@holdfast/protocol'
import type { Entry } from './entries.ts'

const shownChars = 2_000

export function transcriptOf(entries: readonly Entry[]): string {
  return entries
    .map(({ role, parts }) => `${role}: ${parts.map(textOf).filter(Boolean).join('\n')}`)
    .join('\n\n')
}

/** What was asked and which tools ran: nothing is understood, nothing is invented. */
export function outlineOf(entries: readonly Entry[], maxChars: number): string {
  const asked = entries.flatMap(({ role, parts }) =>
    role === 'user' ? [`- ${cut(parts.map(textOf).join(' '), 200)}`] : [],
  )
  const said = entries.flatMap(({ role, parts }) => {
    const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join(' ')
    return role === 'assistant' && text.trim() !== '' ? [`- ${cut(text, 160)}`] : []
  })
  const lines = [
    `[${entries.length} earlier messages are left out here without a summary; they can be searched.]`,
    ...(asked.length > 0 ? ['The user asked:', ...asked] : []),
    ...(said.length > 0 ? ['The assistant said:', ...said] : []),
    ...toolLines(entries),
  ]
  return cut(lines.join('\n'), maxChars)
}

function toolLines(entries: readonly Entry[]): string[] {
  const counts = new Map<string, number>()
  for (const { parts } of entries)
    for (const part of parts)
      if (part.type === 'tool_call') counts.set(part.name, (counts.get(part.name) ?? 0) + 1)
  if (counts.size === 0) return []
  return [`Tools that ran: ${[...counts].map(([name, count]) => `${name} (${count})`).join(', ')}`]
}

function textOf(part: MessagePart): string {
  switch (part.type) {
    case 'text':
      return part.text
    case 'reasoning':
      return ''
    case 'tool_call':
      return `[calls ${part.name} ${cut(JSON.stringify(part.input), shownChars)}]`
    case 'tool_result':
      return `[result: ${cut(typeof part.output === 'string' ? part.output : JSON.stringify(part.output), shownChars)}]`
    case 'data':
      return ''
    default:
      return `[${part.type} ${part.name ?? part.hash}]`
  }
}

function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars - 1).toWellFormed()}…`
}
