/** The table of sessions: children under their parents, and what is not known says so. */
import type { Holdfast, SessionSummary } from '@holdfast/core'
import { detail, heading, plain, printTable } from './screen.ts'

const columns = [
  { title: 'session', width: 42 },
  { title: 'agent', width: 27 },
  { title: 'messages', width: 8, right: true },
  { title: 'rounds', width: 6, right: true },
  { title: 'turns', width: 5, right: true },
  { title: 'tokens', width: 8, right: true },
  { title: 'cost', width: 8, right: true },
] as const

export async function showSessions(holdfast: Holdfast): Promise<void> {
  const { sessions, next } = await holdfast.sessions.list({}, { limit: 200 })
  const roots = sessions
    .filter(({ lineage }) => lineage === 'root')
    .sort((a, b) => a.agentId.localeCompare(b.agentId))
  const shown = roots.slice(0, 12)
  const rows: string[][] = []
  for (const root of shown) {
    const children = sessions.filter(({ parentSessionId }) => parentSessionId === root.id)
    rows.push(await rowOf(holdfast, root, ''))
    for (const child of children.slice(0, 8)) rows.push(await rowOf(holdfast, child, '└ '))
  }
  heading(`Sessions (${sessions.length}${next ? ' and more' : ''})`)
  printTable(columns, rows)
  detail(
    'tokens and cost as far as the files tell: list prices where they give none, unknown without usage figures',
  )
}

async function rowOf(holdfast: Holdfast, session: SessionSummary, indent: string): Promise<string[]> {
  const { counters } = session
  const hasUsage = counters.promptTokens + counters.completionTokens > 0
  return [
    indent + (await nameOf(holdfast, session)),
    session.agentName,
    String(counters.messageCount),
    String(counters.roundCount),
    String(counters.turnCount),
    hasUsage ? (counters.promptTokens + counters.completionTokens).toLocaleString('en') : 'unknown',
    costOf(session, hasUsage),
  ]
}

/** The title, else the first words of the first user message. */
async function nameOf(holdfast: Holdfast, { id, title }: SessionSummary): Promise<string> {
  if (title !== undefined) return plain(title)
  const session = await holdfast.sessions.open(id)
  const { messages } = await session.messages({ after: '0', limit: 5 })
  const part = messages.find(({ role }) => role === 'user')?.parts[0]
  return part?.type === 'text' ? plain(part.text) : id
}

/** Micro-cents as dollars. A sum that misses some attempts is a lower bound. */
function costOf({ counters }: SessionSummary, hasUsage: boolean): string {
  const { costMicrocents, costUnknown } = counters
  if (!hasUsage || (costMicrocents === 0 && costUnknown > 0)) return 'unknown'
  return `${costUnknown > 0 ? '≥' : ''}$${(costMicrocents / 1e8).toFixed(4)}`
}
