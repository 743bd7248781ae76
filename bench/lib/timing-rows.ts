/** Timings as rows of a table: what a piece of work took, and how that compares with the first contender. */
import { median, type Timing } from './measure.ts'
import { ms, perSecond, ratio, spread } from './table.ts'

export const timeHeader = ['', 'median', 'rounds', 'ratio'] as const

export function timeRows(timings: readonly Timing[]): string[][] {
  return rowsOf(timings, (perPiece) => perPiece, ms)
}

/** The same as pieces a second. */
export function rateRows(timings: readonly Timing[]): string[][] {
  const rates = (perPiece: readonly number[]) => perPiece.map((ms) => 1_000 / ms)
  return rowsOf(timings, rates, perSecond)
}

/** Several tables in one: the first row of each bears its name. */
export function group(name: string, rows: readonly string[][]): string[][] {
  return rows.map((row, index) => [index === 0 ? name : '', ...row])
}

function rowsOf(
  timings: readonly Timing[],
  of: (perPiece: readonly number[]) => readonly number[],
  unit: (value: number) => string,
): string[][] {
  const base = median(of(timings[0]?.perPiece ?? []))
  return timings.map(({ name, perPiece }) => {
    const values = of(perPiece)
    return [name, unit(median(values)), spread(values, unit), ratio(median(values), base)]
  })
}
