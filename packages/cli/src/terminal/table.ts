/** Tables as wide as the terminal: one column takes what the others leave, and the least needed ones go first. */
import type { Style } from './style.ts'
import { cut, padEnd, padStart, widthOf } from './width.ts'

export interface Column<Row> {
  title: string
  /** Plain text. */
  cell: (row: Row) => string
  align?: 'right'
  /** How the padded cell is drawn. */
  look?: (cell: string, row: Row) => string
  /** Takes the room that is left; one column at most. */
  flexible?: true
  /** Where room is short, columns with a higher number go first; without one it stays. */
  expendable?: number
}

export interface TableOptions {
  /** Columns of the terminal; without it nothing is cut. */
  width?: number | undefined
  style: Style
}

const gap = 2
/** A flexible column is not made narrower than this while another can go. */
const least = 24

export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, style }: TableOptions,
): string[] {
  const fitted = fit(columns, rows, width)
  const title = fitted.map(({ column, room }) => place(column.title, room, column.align))
  return [
    style.faint(title.join(' '.repeat(gap)).trimEnd()),
    ...rows.map((row) => line(fitted, row).trimEnd()),
  ]
}

interface Fitted<Row> {
  column: Column<Row>
  room: number
}

function line<Row>(fitted: readonly Fitted<Row>[], row: Row): string {
  const cells = fitted.map(({ column, room }) => {
    const cell = place(column.cell(row), room, column.align)
    return column.look ? column.look(cell, row) : cell
  })
  return cells.join(' '.repeat(gap))
}

function place(text: string, room: number, align?: 'right'): string {
  const shown = cut(text, room)
  return align === 'right' ? padStart(shown, room) : padEnd(shown, room)
}

function fit<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | undefined,
): Fitted<Row>[] {
  const natural = columns.map((column) => ({
    column,
    room: Math.max(widthOf(column.title), ...rows.map((row) => widthOf(column.cell(row)))),
  }))
  if (width === undefined) return natural
  let kept = natural
  while (roomFor(kept, width) < Math.min(least, flexibleOf(kept)?.room ?? 0)) {
    const [goes] = kept
      .filter(({ column }) => column.expendable !== undefined)
      .sort((a, b) => (b.column.expendable ?? 0) - (a.column.expendable ?? 0))
    if (!goes) break
    kept = kept.filter((one) => one !== goes)
  }
  const room = Math.max(roomFor(kept, width), 4)
  return kept.map((one) => (one.column.flexible ? { ...one, room: Math.min(one.room, room) } : one))
}

/** What is left for the flexible column. */
function roomFor<Row>(kept: readonly Fitted<Row>[], width: number): number {
  const fixed = kept.filter(({ column }) => !column.flexible).reduce((sum, { room }) => sum + room, 0)
  return width - fixed - gap * (kept.length - 1)
}

function flexibleOf<Row>(kept: readonly Fitted<Row>[]): Fitted<Row> | undefined {
  return kept.find(({ column }) => column.flexible)
}
