/**
 * What a session is called: its title, else the first words that a user said in it, in a fork behind where it parted. What
 * the agent's program says for itself in the place of a user names nothing.
 */
import type { SessionSummary } from '@holdfast/core'
import type { Place } from '../place/place.ts'
import { plainLine } from '../terminal/plain.ts'
import { cut } from '../terminal/width.ts'

const lookedAt = 5
const longest = 200
const firstWords = 80

export async function sessionName(
  holdfast: Place,
  session: Pick<SessionSummary, 'id' | 'title' | 'agentName' | 'agentParticipantId' | 'forkedFrom'>,
): Promise<string> {
  const { id, title, agentName, agentParticipantId, forkedFrom } = session
  if (title !== undefined) return plainLine(title.slice(0, longest))
  const opened = await holdfast.sessions.open(id)
  const { messages } = await opened.messages({ after: String(forkedFrom?.seq ?? 0), limit: lookedAt })
  for (const { role, author, parts } of messages) {
    if (role !== 'user' || (author !== undefined && author === agentParticipantId)) continue
    const part = parts.find(({ type }) => type === 'text')
    if (part?.type === 'text' && part.text.trim() !== '') return plainLine(cut(part.text, firstWords))
  }
  return plainLine(agentName)
}
