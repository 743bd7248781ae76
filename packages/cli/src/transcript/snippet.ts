/** The stretch of a text around the first place where searched words stand. */
import { plainLine } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut, widthOf } from '../terminal/width.ts'

export interface Snippet {
  before: string
  /** The word as it stands there; empty when none of them does. */
  match: string
  after: string
}

/** As a search takes words apart: letters and numbers, whatever their case and accents. */
const wordPattern = /[\p{L}\p{N}\p{M}]+/gu
const unitsBefore = 240
const unitsAfter = 600

export function snippetOf(text: string, query: string): Snippet {
  const wanted = new Set((query.match(wordPattern) ?? []).map(folded))
  for (const found of text.matchAll(wordPattern)) {
    if (!wanted.has(folded(found[0]))) continue
    const start = found.index
    const end = start + found[0].length
    return {
      before: trailing(text, start),
      match: plainLine(found[0]),
      after: plainSpaced(text.slice(end, end + unitsAfter)),
    }
  }
  return { before: '', match: '', after: plainLine(text.slice(0, unitsAfter)) }
}

/** In one line of `width` columns, the match a third of the way in. */
export function snippetLine({ before, match, after }: Snippet, width: number, style: Style): string {
  const room = Math.floor(width / 3)
  const start = widthOf(before) > room ? `…${cutFront(before, room - 1)}` : before
  const rest = width - widthOf(start) - widthOf(match)
  return style.faint(start) + style.mark(match) + cut(after, rest)
}

function folded(word: string): string {
  return word.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

function trailing(text: string, end: number): string {
  return plainSpaced(text.slice(Math.max(0, end - unitsBefore), end)).trimStart()
}

/** With one space where the text had white space at an edge. */
function plainSpaced(text: string): string {
  const lead = /^\s/.test(text) ? ' ' : ''
  const tail = /\s$/.test(text) ? ' ' : ''
  return `${lead}${plainLine(text)}${tail}`
}

function cutFront(text: string, width: number): string {
  const words = text.split(' ')
  while (words.length > 1 && widthOf(words.join(' ')) > width) words.shift()
  return widthOf(words.join(' ')) > width ? '' : words.join(' ')
}
