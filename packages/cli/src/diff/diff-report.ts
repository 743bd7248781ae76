/** Two branches side by side: their figures, and then their texts. */
import type { Json, Message } from '@holdfast/protocol'
import { shownId } from '../sessions/resolve-id.ts'
import { money, shortCount } from '../terminal/figures.ts'
import { plainLine, plainText } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { tableLines } from '../terminal/table.ts'
import { wrap } from '../terminal/width.ts'
import { inputGist, outputGist } from '../transcript/gist.ts'
import type { Branch } from './branch.ts'
import { type DiffLine, diffLines } from './line-diff.ts'

export interface Compared {
  commonSeq: number
  ours: Branch
  theirs: Branch
}

export interface DiffOptions {
  style: Style
  width: number
  /** For a program: nothing of the figures is cut. */
  wholeIds: boolean
}

/** Unchanged lines around a change. */
const contextLines = 3

export function diffReport({ commonSeq, ours, theirs }: Compared, options: DiffOptions): string[] {
  const { style, width } = options
  const shared =
    commonSeq === 0
      ? 'They share no event.'
      : `The same log through #${commonSeq}; after that, of each its own:`
  const changes = hunks(diffLines(linesOf(ours.messages, width), linesOf(theirs.messages, width)))
  return [
    shared,
    '',
    ...figureLines(ours, theirs, options),
    '',
    ...(changes.length === 0 ? ['Their texts are the same.'] : changes.map((line) => drawn(line, style))),
  ]
}

interface Figure {
  name: string
  ours: string
  theirs: string
}

function figureLines(ours: Branch, theirs: Branch, { style, width, wholeIds }: DiffOptions): string[] {
  const figure = (name: string, of: (branch: Branch) => string): Figure => {
    return { name, ours: of(ours), theirs: of(theirs) }
  }
  const tools = [...new Set([...Object.keys(ours.toolCalls), ...Object.keys(theirs.toolCalls)])].sort()
  const figures = [
    figure('messages', ({ messages }) => String(messages.length)),
    figure('tokens in', ({ promptTokens }) => shortCount(promptTokens)),
    figure('tokens out', ({ completionTokens }) => shortCount(completionTokens)),
    figure('cost', money),
    ...tools.map((tool) =>
      figure(`calls of ${plainLine(tool)}`, ({ toolCalls }) => String(toolCalls[tool] ?? 0)),
    ),
  ]
  const columns = [
    { title: '', cell: ({ name }: Figure) => name, flexible: true as const },
    {
      title: `- ${shownId(ours.sessionId, wholeIds)}`,
      cell: (one: Figure) => one.ours,
      align: 'right' as const,
    },
    {
      title: `+ ${shownId(theirs.sessionId, wholeIds)}`,
      cell: (one: Figure) => one.theirs,
      align: 'right' as const,
    },
  ]
  return tableLines(columns, figures, { style, width: wholeIds ? undefined : width })
}

function linesOf(messages: readonly Message[], width: number): string[] {
  return messages.flatMap(({ role, parts }) => {
    const who = role === 'user' ? 'you' : role
    return parts.flatMap((part) => {
      if (part.type === 'text')
        return [`${who}:`, ...wrap(plainText(part.text.trim()), width - 4).map((line) => `  ${line}`)]
      if (part.type === 'tool_call') return [`  ▸ ${plainLine(part.name)} ${inputGist(part.input as Json)}`]
      if (part.type === 'tool_result') return [`  ◂ ${part.outcome} ${outputGist(part.output as Json)}`]
      return []
    })
  })
}

type Shown = DiffLine | { side: 'skipped'; text: string }

/** The changes with what stands around them. */
function hunks(lines: readonly DiffLine[]): Shown[] {
  const isNear = lines.map(() => false)
  for (const [index, { side }] of lines.entries()) {
    if (side === 'both') continue
    const from = Math.max(index - contextLines, 0)
    isNear.fill(true, from, Math.min(index + contextLines + 1, lines.length))
  }
  const shown: Shown[] = []
  for (const [index, line] of lines.entries()) {
    if (isNear[index]) shown.push(line)
    else if (shown.length > 0 && shown.at(-1)?.side !== 'skipped') shown.push({ side: 'skipped', text: '…' })
  }
  return shown
}

function drawn({ side, text }: Shown, style: Style): string {
  if (side === 'ours') return style.bad(`- ${text}`)
  if (side === 'theirs') return style.good(`+ ${text}`)
  return style.faint(`  ${text}`)
}
