/** A plain table: the first column to the left, the others to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return [line(header), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n')
}

export function ms(value: number): string {
  return `${value.toFixed(3)} ms`
}

export function ratio(value: number, base: number): string {
  return `${(value / base).toFixed(2)}x`
}

export function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString('en')}/s`
}

/** The least and the most of some rounds. */
export function spread(values: readonly number[], unit: (value: number) => string): string {
  return `${unit(Math.min(...values))} – ${unit(Math.max(...values))}`
}
