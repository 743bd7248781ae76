/** What a session is, above its transcript. */
import type { Session } from '@holdfast/protocol'
import { shortId } from '../sessions/resolve-id.ts'
import { count, moment, money, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut } from '../terminal/width.ts'

export interface HeaderOptions {
  style: Style
  width: number
  /** How many sessions it spawned. */
  children: number
}

export function headerLines(
  session: Session,
  name: string,
  { style, width, children }: HeaderOptions,
): string[] {
  const { counters } = session
  const tokens = counters.promptTokens + counters.completionTokens
  const lines = [
    [session.agentName, session.model, session.status, session.ownerUserId],
    [
      `${moment(session.createdAt)} – ${moment(session.lastActivityAt)} UTC`,
      count(counters.messageCount, 'message'),
      count(counters.roundCount, 'round'),
      ...(tokens > 0 ? [`${shortCount(tokens)} tokens`, money(counters)] : []),
    ],
    [
      session.parentSessionId && `child of ${shortId(session.parentSessionId)}`,
      session.forkedFrom && `fork of ${shortId(session.forkedFrom.sessionId)} at #${session.forkedFrom.seq}`,
      children > 0 &&
        `${count(children, 'child', 'children')}: holdfast sessions --root ${shortId(session.rootSessionId)} --tree`,
      session.pinned && 'pinned',
      session.held && 'under a legal hold',
    ],
  ]
  const shown = lines
    .map((parts) => parts.filter((part): part is string => typeof part === 'string' && part !== ''))
    .filter((parts) => parts.length > 0)
    .map((parts) => style.faint(cut(parts.map(plainLine).join(' · '), width)))
  return [style.title(cut(name, width)), style.accent(session.id), ...shown]
}
