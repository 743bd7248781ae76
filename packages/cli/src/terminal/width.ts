/** Text measured in the columns that a terminal gives it: CJK and emoji take two, combining marks none. */
import measure from 'fast-string-truncated-width'

export function widthOf(text: string): number {
  return measure(text).width
}

/** What fits into `width` columns, with `…` where something was left out. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  const { index, ellipsed } = measure(text, { limit: width, ellipsis: '…', ellipsisWidth: 1 })
  return ellipsed ? `${text.slice(0, index).trimEnd()}…` : text
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text
}

/** Broken between words, and inside a word that is longer than a line. Indentation of a line is kept for its rest. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(width, 8)))
}

function wrapLine(line: string, width: number): string[] {
  if (widthOf(line) <= width) return [line]
  const indent = /^ */.exec(line)?.[0].slice(0, width - 8) ?? ''
  const lines: string[] = []
  let current = indent
  for (const word of line.trimStart().split(/ +/)) {
    const joined = current === indent ? indent + word : `${current} ${word}`
    if (widthOf(joined) <= width) {
      current = joined
      continue
    }
    if (current !== indent) lines.push(current)
    const pieces = broken(word, width - indent.length)
    current = indent + (pieces.pop() ?? '')
    lines.push(...pieces.map((piece) => indent + piece))
  }
  lines.push(current)
  return lines
}

function broken(word: string, width: number): string[] {
  const pieces: string[] = []
  let rest = word
  while (widthOf(rest) > width) {
    const { index } = measure(rest, { limit: width, ellipsis: '', ellipsisWidth: 0 })
    const end = Math.max(index, 1)
    pieces.push(rest.slice(0, end))
    rest = rest.slice(end)
  }
  return [...pieces, rest]
}
