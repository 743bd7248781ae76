/** Sessions as a table. */
import type { SessionSummary } from '@holdfast/core'
import type { SessionStatus } from '@holdfast/protocol'
import { ago, money, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Look, Style } from '../terminal/style.ts'
import { type Column, tableLines } from '../terminal/table.ts'
import { shownId } from './resolve-id.ts'

export interface SessionRow {
  session: SessionSummary
  name: string
  /** 0 for a root. */
  depth: number
}

export interface SessionTableOptions {
  style: Style
  /** Columns of the terminal; without it ids are whole and nothing is cut. */
  width: number | undefined
  nowMs: number
}

const statusLooks: Readonly<Record<SessionStatus, Look>> = {
  created: 'faint',
  idle: 'faint',
  running: 'good',
  suspended: 'warn',
  unknown: 'bad',
  completed: 'faint',
  failed: 'bad',
  cancelled: 'warn',
  expired: 'faint',
}

export function sessionTable(rows: readonly SessionRow[], options: SessionTableOptions): string[] {
  return tableLines(columnsFor(options), rows, options)
}

function columnsFor({ style, width, nowMs }: SessionTableOptions): Column<SessionRow>[] {
  return [
    {
      title: 'id',
      cell: ({ session }) => shownId(session.id, width === undefined),
      look: (cell) => style.accent(cell),
    },
    { title: 'title', cell: titleOf, flexible: true },
    { title: 'agent', cell: ({ session }) => plainLine(session.agentName), expendable: 3 },
    {
      title: 'status',
      cell: ({ session }) => (session.openQuestionId === undefined ? session.status : 'question'),
      look: (cell, { session }) =>
        style[session.openQuestionId === undefined ? statusLooks[session.status] : 'warn'](cell),
      expendable: 1,
    },
    {
      title: 'active',
      cell: ({ session }) => ago(session.lastActivityAt, nowMs),
      look: (cell) => style.faint(cell),
    },
    {
      title: 'msgs',
      align: 'right',
      cell: ({ session }) => shortCount(session.counters.messageCount),
      expendable: 2,
    },
    {
      title: 'rounds',
      align: 'right',
      cell: ({ session }) => shortCount(session.counters.roundCount),
      expendable: 5,
    },
    { title: 'tokens', align: 'right', cell: tokensOf, expendable: 4 },
    { title: 'cost', align: 'right', cell: costOf },
  ]
}

function titleOf({ session, name, depth }: SessionRow): string {
  const marks = [session.pinned ? '★ ' : '', session.held ? '⚑ ' : '', session.forkedFrom ? '⑂ ' : ''].join(
    '',
  )
  return `${'  '.repeat(Math.max(depth - 1, 0))}${depth > 0 ? '└ ' : ''}${marks}${name}`
}

/** Without usage figures nothing is known, which is not nothing. */
function tokensOf({ session: { counters } }: SessionRow): string {
  return hasUsage(counters) ? shortCount(counters.promptTokens + counters.completionTokens) : '–'
}

function costOf({ session: { counters } }: SessionRow): string {
  return hasUsage(counters) || counters.costMicrocents > 0 ? money(counters) : '–'
}

function hasUsage({ promptTokens, completionTokens }: SessionSummary['counters']): boolean {
  return promptTokens + completionTokens > 0
}
