/** What a session is, above its transcript. */
import type { Session } from '@holdfast/protocol'
import { shownId } from '../sessions/resolve-id.ts'
import { count, moment, money, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut } from '../terminal/width.ts'

export interface HeaderOptions {
  style: Style
  width: number
  /** How many sessions it spawned. */
  children: number
  /** For a program: nothing is cut. */
  wholeIds?: boolean
}

export function headerLines(
  session: Session,
  name: string,
  { style, width, children, wholeIds = false }: HeaderOptions,
): string[] {
  const { counters } = session
  const idOf = (id: string) => shownId(id, wholeIds)
  const fitted = (text: string) => (wholeIds ? text : cut(text, width))
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
      session.parentSessionId && `child of ${idOf(session.parentSessionId)}`,
      session.forkedFrom && `fork of ${idOf(session.forkedFrom.sessionId)} at #${session.forkedFrom.seq}`,
      children > 0 &&
        `${count(children, 'child', 'children')}: holdfast sessions --root ${idOf(session.rootSessionId)} --tree`,
      session.pinned && 'pinned',
      session.held && 'under a legal hold',
    ],
  ]
  const shown = lines
    .map((parts) => parts.filter((part): part is string => typeof part === 'string' && part !== ''))
    .filter((parts) => parts.length > 0)
    .map((parts) => style.faint(fitted(parts.map(plainLine).join(' · '))))
  return [style.title(fitted(name)), style.accent(session.id), ...shown]
}
