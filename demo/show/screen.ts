/** Plain output for a terminal. Colour only where a terminal wants it: `styleText` looks at the stream and at NO_COLOR. */
import { stripVTControlCharacters, styleText } from 'node:util'

type Style = 'dim' | 'bold' | 'green' | 'cyan'

export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function heading(text: string): void {
  console.log(`\n${styled('bold', text)}`)
}

export function detail(text: string): void {
  console.log(`  ${styled('dim', text)}`)
}

export interface Column {
  title: string
  width: number
  right?: true
}

export function printTable(columns: readonly Column[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) =>
    columns
      .map((column, index) => fitted(cells[index] ?? '', column))
      .join('  ')
      .trimEnd()
  console.log(`  ${styled('dim', line(columns.map(({ title }) => title)))}`)
  for (const row of rows) console.log(`  ${line(row)}`)
}

/** What comes from a transcript is shown without control characters: it must not steer the terminal. */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim()
}

export function shortened(text: string, length: number): string {
  const points = [...plain(text)]
  return points.length <= length ? points.join('') : `${points.slice(0, length - 1).join('')}…`
}

function fitted(text: string, { width, right }: Column): string {
  const points = [...text]
  const cut = points.length <= width ? text : `${points.slice(0, width - 1).join('')}…`
  return right ? cut.padStart(width) : cut.padEnd(width)
}
