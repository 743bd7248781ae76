/** The text of an event that search may have found, for showing the place. */
import { isKnown, type Json, type MessagePart, type SessionEvent } from '@holdfast/protocol'
import { outputText } from './gist.ts'

export interface EventText {
  /** Who said it, or what it is. */
  who: string
  text: string
}

export function eventText(event: SessionEvent): EventText {
  if (isKnown(event, 'message.appended')) {
    const { role, parts } = event.data
    return { who: role === 'user' ? 'you' : role, text: parts.map(partText).join('\n') }
  }
  if (isKnown(event, 'tool.finished')) {
    return { who: event.data.name ?? 'tool', text: outputText(event.data.output) }
  }
  if (isKnown(event, 'compaction.applied')) return { who: 'summary', text: event.data.summary }
  return { who: event.type, text: textsOf(event.data as Json).join(' ') }
}

function partText(part: MessagePart): string {
  if (part.type === 'text' || part.type === 'reasoning') return part.text
  if (part.type === 'tool_call') return `${part.name} ${textsOf(part.input).join(' ')}`
  if (part.type === 'tool_result') return outputText(part.output)
  return part.type === 'data' ? textsOf(part.data).join(' ') : (part.name ?? '')
}

function textsOf(value: Json): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}
