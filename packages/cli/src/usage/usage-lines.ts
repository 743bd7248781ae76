/** Roll-ups of the ledger as a table with bars, or as CSV. */
import type { RolledUp } from '@holdfast/core'
import { bar } from '../terminal/bar.ts'
import { money, shortCount } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { type Column, tableLines } from '../terminal/table.ts'

export interface UsageRow {
  /** What the group is called. */
  name: string
  group: RolledUp
  /** The sum of the others. It has no bar: beside it every other would be short. */
  isTotal?: true
}

export interface UsageLinesOptions {
  title: string
  style: Style
  width: number | undefined
}

const barWidth = 20

/** Bars compare the costs, or the tokens where no cost is known. */
export function usageLines(rows: readonly UsageRow[], { title, style, width }: UsageLinesOptions): string[] {
  const hasCost = rows.some(({ group }) => group.costMicrocents > 0)
  const sizeOf = ({ group }: UsageRow) => (hasCost ? group.costMicrocents : tokensOf(group))
  const largest = Math.max(...rows.map(sizeOf), 1)
  const columns: Column<UsageRow>[] = [
    { title, cell: ({ name }) => name, flexible: true },
    { title: 'calls', align: 'right', cell: ({ group }) => shortCount(group.rows), expendable: 2 },
    { title: 'in', align: 'right', cell: ({ group }) => shortCount(group.promptTokens) },
    {
      title: 'cached',
      align: 'right',
      cell: ({ group }) => shortCount(group.cachedReadTokens),
      look: (cell) => style.faint(cell),
      expendable: 3,
    },
    { title: 'out', align: 'right', cell: ({ group }) => shortCount(group.completionTokens) },
    { title: 'cost', align: 'right', cell: ({ group }) => money(group) },
    {
      title: '',
      cell: (row) => (row.isTotal ? '' : bar(sizeOf(row) / largest, barWidth)),
      look: (cell) => style.accent(cell),
      expendable: 4,
    },
  ]
  const lines = tableLines(columns, [...rows, total(rows)], { width, style })
  const sum = lines.pop() ?? ''
  return [...lines, style.title(sum)]
}

function total(rows: readonly UsageRow[]): UsageRow {
  const sum = (pick: (group: RolledUp) => number) => rows.reduce((all, { group }) => all + pick(group), 0)
  return {
    name: 'total',
    isTotal: true,
    group: {
      key: {},
      rows: sum(({ rows }) => rows),
      promptTokens: sum(({ promptTokens }) => promptTokens),
      completionTokens: sum(({ completionTokens }) => completionTokens),
      reasoningTokens: sum(({ reasoningTokens }) => reasoningTokens),
      cachedReadTokens: sum(({ cachedReadTokens }) => cachedReadTokens),
      cachedWriteTokens: sum(({ cachedWriteTokens }) => cachedWriteTokens),
      costMicrocents: sum(({ costMicrocents }) => costMicrocents),
      costUnknown: sum(({ costUnknown }) => costUnknown),
      costEstimated: sum(({ costEstimated }) => costEstimated),
    },
  }
}

function tokensOf({ promptTokens, completionTokens }: RolledUp): number {
  return promptTokens + completionTokens
}

const figures = [
  'rows',
  'promptTokens',
  'completionTokens',
  'reasoningTokens',
  'cachedReadTokens',
  'cachedWriteTokens',
  'costMicrocents',
  'costUnknown',
] as const satisfies (keyof RolledUp)[]

/** RFC 4180, with a header; costs in micro-cents, so that sums stay exact. */
export function usageCsv(rows: readonly UsageRow[], title: string): string[] {
  return [
    [title, ...figures].join(','),
    ...rows.map(({ name, group }) => [quoted(name), ...figures.map((figure) => group[figure])].join(',')),
  ]
}

/** A spreadsheet takes a cell that begins with one of these for a formula. */
function quoted(text: string): string {
  const plain = plainLine(text)
  const safe = /^[=+\-@]/.test(plain) ? `'${plain}` : plain
  return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
