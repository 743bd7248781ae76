/** A Markdown table that reads well as plain text too: the first column and those without a title to the left. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = header.map((title, index) => ({
    isText: index === 0 || title === '',
    width: Math.max(title.length, 3, ...rows.map((row) => (row[index] ?? '').length)),
  }))
  const line = (cells: readonly string[]) => {
    const padded = columns.map(({ isText, width }, index) => {
      const cell = cells[index] ?? ''
      return isText ? cell.padEnd(width) : cell.padStart(width)
    })
    return `| ${padded.join(' | ')} |`
  }
  const rule = columns.map(({ isText, width }) => (isText ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}

export function section(title: string, ...blocks: readonly string[]): void {
  console.log([`\n## ${title}`, ...blocks].join('\n\n'))
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

export function count(value: number): string {
  return value.toLocaleString('en')
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`
}

/** The least and the most of some rounds. */
export function spread(values: readonly number[], unit: (value: number) => string): string {
  return `${unit(Math.min(...values))} – ${unit(Math.max(...values))}`
}
