/** The end of a child as its parent sees it: what it said last, what it spent, and that it is over. */
import type { UnseenSession } from '@holdfast/core'
import type { MessagePart } from '@holdfast/protocol'

/** What its parent reads of it. */
const mostChars = 64 * 1_024

/** Doing it again is harmless. */
export async function endChild(session: UnseenSession): Promise<void> {
  const { messages } = await session.messages({ limit: 10 })
  const last = messages.findLast(({ role, parts }) => role === 'assistant' && textOf(parts) !== '')
  const { run } = await session.view()
  const said = last ? textOf(last.parts) : ''
  const result = [said, run?.error].filter(Boolean).join('\n').slice(0, mostChars).toWellFormed()
  await session.endChild({ result })
}

function textOf(parts: readonly MessagePart[]): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
}
