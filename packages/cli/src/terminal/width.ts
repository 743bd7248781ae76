/** Text measured in the columns that a terminal gives it: CJK and emoji take two, combining marks none. */
import measure from 'fast-string-truncated-width'

export function widthOf(text: string): number {
  return measure(text).width
}

/** What a reader takes for one character: nothing is ever cut inside of one. */
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
/** Each of these takes one column: most text is nothing else, and need not be taken apart. */
const plainAscii = /^[\x20-\x7e]*$/

/** What fits into `width` columns, with `…` where something was left out. */
export function cut(text: string, width: number): string {
  if (width <= 0) return ''
  const end = fitting(text, width)
  return end === text.length ? text : `${text.slice(0, fitting(text, width - 1)).trimEnd()}…`
}

/** Where the text has to end to fit into `width` columns. Reads no further than that. */
function fitting(text: string, width: number): number {
  if (plainAscii.test(text.slice(0, width + 1))) return Math.min(text.length, width)
  let used = 0
  for (const { segment, index } of graphemes.segment(text)) {
    used += widthOf(segment)
    if (used > width) return index
  }
  return text.length
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
  const room = width - indent.length
  const lines: string[] = []
  let current = ''
  let used = 0
  for (const word of line.trimStart().split(/ +/)) {
    const joined = current === '' ? widthOf(word) : used + 1 + widthOf(word)
    if (joined <= room) {
      current = current === '' ? word : `${current} ${word}`
      used = joined
      continue
    }
    if (current !== '') lines.push(current)
    const pieces = broken(word, room)
    current = pieces.pop() ?? ''
    used = widthOf(current)
    lines.push(...pieces)
  }
  return [...lines, current].map((each) => indent + each)
}

function broken(word: string, width: number): string[] {
  if (plainAscii.test(word)) return word.match(new RegExp(`.{1,${width}}`, 'g')) ?? []
  const pieces: string[] = []
  let piece = ''
  let used = 0
  for (const unit of unitsOf(word, width)) {
    const taken = widthOf(unit)
    if (used + taken > width) {
      pieces.push(piece)
      piece = ''
      used = 0
    }
    piece += unit
    used += taken
  }
  return [...pieces, piece]
}

/** Graphemes; some scripts join letters without a bound, and one that is wider than a line is taken apart. */
function* unitsOf(word: string, width: number): Generator<string, void, void> {
  for (const { segment } of graphemes.segment(word)) {
    if (widthOf(segment) <= width) yield segment
    else yield* segment
  }
}
