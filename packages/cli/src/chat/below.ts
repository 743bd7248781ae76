/** A session with all that it spawned. */
import type { SessionTree } from '@holdfast/core'
import type { Session } from '@holdfast/protocol'
import type { ChatPlace } from './chat-place.ts'

type Summary = SessionTree['session']

/** The session and those below it, parents first. */
export function sessionsFrom(
  { session, children }: SessionTree,
  sessionId: string,
  isBelow = false,
): Summary[] {
  const isOurs = isBelow || session.id === sessionId
  const below = children.flatMap((child) => sessionsFrom(child, sessionId, isOurs))
  return isOurs ? [session, ...below] : below
}

/** The first session below this one that waits for an answer. */
export async function askingBelow(place: ChatPlace, sessionId: string): Promise<Session | undefined> {
  const { rootSessionId } = await place.view(sessionId)
  const all = sessionsFrom(await place.tree(rootSessionId), sessionId)
  const asking = all.find(({ id, openQuestionId }) => id !== sessionId && openQuestionId !== undefined)
  return asking && place.view(asking.id)
}
