/** Entries of a transcript as lines for a terminal. Pure: what is read and where it goes is decided elsewhere. */
import type { Message, MessagePart, ToolResultPart } from '@holdfast/protocol'
import { shownId } from '../sessions/resolve-id.ts'
import { bytes, count, money, shortCount } from '../terminal/figures.ts'
import { plainLine, plainText } from '../terminal/plain.ts'
import type { Style } from '../terminal/style.ts'
import { cut, widthOf, wrap } from '../terminal/width.ts'
import type { Entry, MessageEntry } from './entries.ts'
import { inputGist, outputGist, outputText } from './gist.ts'
import type { ChildMark, CompactionMark, Mark, RemarkMark, RoundMark } from './marks.ts'

export interface TranscriptOptions {
  style: Style
  /** Columns to fit into. */
  width: number
  /** Tool inputs and outputs, reasoning and system prompts whole instead of in a line. */
  full: boolean
  /** The message with this seq is marked. */
  at?: number | undefined
  /** For a program. */
  wholeIds?: boolean
}

const indent = '  '
/** What is kept for a provider alone. */
const ofProvider = /^provider_/

export function entryLines(entry: Entry, options: TranscriptOptions): string[] {
  return entry.type === 'message' ? messageLines(entry, options) : markLines(entry, options)
}

function messageLines({ message, results }: MessageEntry, options: TranscriptOptions): string[] {
  const { style } = options
  const head = [
    whoLook(message, options)(whoSpeaks(message)),
    style.faint(message.at.slice(11, 16)),
    style.faint(`#${message.seq}`),
    ...(message.waiting ? [style.warn(`waiting to ${message.waiting}`)] : []),
    ...(message.finish && message.finish !== 'complete' ? [style.warn(message.finish)] : []),
    ...(message.seq === options.at ? [style.mark('◀')] : []),
  ].join(' ')
  const body = message.erased ? [style.faint('erased on request')] : bodyLines(message, results, options)
  return ['', head, ...body.map((line) => (line === '' ? '' : indent + line))]
}

function whoSpeaks({ role, author }: Message): string {
  const name = role === 'user' ? 'you' : role
  return author === undefined ? name : `${name} (${plainLine(author)})`
}

function whoLook({ role }: Message, { style }: TranscriptOptions): (text: string) => string {
  if (role === 'user') return (text) => style.title(style.accent(text))
  return role === 'assistant' ? style.title : style.faint
}

function bodyLines(message: Message, results: MessageEntry['results'], options: TranscriptOptions): string[] {
  const isFolded = message.role === 'system' && !options.full
  return message.parts.flatMap((part) => {
    if (isFolded && part.type === 'text') return [folded('system prompt', part.text, options)]
    return partLines(part, results, options)
  })
}

function partLines(
  part: MessagePart,
  results: MessageEntry['results'],
  options: TranscriptOptions,
): string[] {
  const { style } = options
  const room = options.width - indent.length
  switch (part.type) {
    case 'text':
      return wrap(plainText(part.text.trim()), room)
    case 'reasoning':
      return part.text.trim() === '' ? [] : reasoningLines(part.text, options)
    case 'tool_call':
      return callLines(part.name, part.input, results[part.callId], options)
    case 'tool_result':
      return resultLines(part, options)
    case 'file':
    case 'image': {
      const name = plainLine(part.name ?? part.hash.slice(0, 12))
      return [style.faint(`▫ ${part.type} ${name}, ${plainLine(part.mediaType)}, ${bytes(part.bytes)}`)]
    }
    case 'data':
      if (ofProvider.test(part.name) && !options.full) return []
      return [style.faint(cut(`▫ ${plainLine(part.name)} ${inputGist(part.data)}`, room))]
  }
}

function reasoningLines(text: string, options: TranscriptOptions): string[] {
  if (!options.full) return [folded('thought', text, options)]
  return wrap(plainText(text.trim()), options.width - 2 * indent.length).map(options.style.faint)
}

/** A long text as its first words. */
function folded(what: string, text: string, { style, width }: TranscriptOptions): string {
  return style.faint(cut(`${what}: ${plainLine(text.slice(0, 500))}`, width - indent.length))
}

/** A tool call, and what came of it. */
export function callLines(
  name: string,
  input: Parameters<typeof inputGist>[0],
  result: ToolResultPart | undefined,
  options: TranscriptOptions,
): string[] {
  const { style, width, full } = options
  const end = result ? outcomeOf(result, options) : { text: 'no result', drawn: style.warn('no result') }
  const title = plainLine(name)
  const room = width - indent.length - widthOf(title) - widthOf(end.text) - 6
  const gist = cut(inputGist(input), Math.max(room, 8))
  const line = `${style.accent('▸')} ${title} ${style.faint(gist)} ${style.faint('→')} ${end.drawn}`
  if (!full) return [line]
  const block = (text: string) =>
    wrap(plainText(text), width - 3 * indent.length).map((one) => style.faint(`│ ${one}`))
  return [
    line,
    ...block(outputText(input)),
    ...(result ? [style.faint('├'), ...block(outputText(result.output))] : []),
  ]
}

/** Of a line: the rest is for the call. */
const shareOfOutcome = 0.6

function outcomeOf(
  { outcome, output }: ToolResultPart,
  { style, width }: TranscriptOptions,
): { text: string; drawn: string } {
  const gist = cut(outputGist(output), Math.floor(width * shareOfOutcome))
  if (outcome === 'ok') return { text: gist, drawn: style.faint(gist) }
  const text = `${outcome}, ${gist}`
  return { text, drawn: outcome === 'unknown' ? style.warn(text) : style.bad(text) }
}

/** A result apart from its call. */
function resultLines(part: ToolResultPart, options: TranscriptOptions): string[] {
  const { style, width, full } = options
  const line = `${style.accent('◂')} ${outcomeOf(part, options).drawn}`
  if (!full) return [line]
  return [
    line,
    ...wrap(plainText(outputText(part.output)), width - 3 * indent.length).map((one) =>
      style.faint(`│ ${one}`),
    ),
  ]
}

function markLines(mark: Mark, options: TranscriptOptions): string[] {
  if (mark.type === 'round') return [roundLine(mark, options)]
  if (mark.type === 'compaction') return compactionLines(mark, options)
  if (mark.type === 'child') return [childLine(mark, options)]
  return [remarkLine(mark, options)]
}

function roundLine(mark: RoundMark, { style, width }: TranscriptOptions): string {
  const parts = [
    mark.round === undefined ? 'call' : `round ${mark.round}`,
    `${shortCount(mark.promptTokens)} in`,
    `${shortCount(mark.completionTokens)} out`,
    money(mark),
    ...mark.models.map(plainLine),
    ...(mark.failed > 0 ? [`${count(mark.failed, 'attempt')} failed`] : []),
  ]
  return style.faint(cut(`${indent}· ${parts.join(' · ')}`, width))
}

function compactionLines(mark: CompactionMark, options: TranscriptOptions): string[] {
  const { style, width } = options
  const saved = `${shortCount(mark.tokensBefore)} → ${shortCount(mark.tokensAfter)} tokens`
  const text = ` compacted #${mark.from}–#${mark.to}: ${count(mark.messages, 'message')}, ${saved} (${mark.trigger}) `
  const summary = options.full
    ? wrap(plainText(mark.summary), width - 2 * indent.length)
    : [cut(plainLine(mark.summary.slice(0, 500)), width - 2 * indent.length)]
  return ['', style.warn(rule(text, width)), ...summary.map((line) => style.faint(indent + line))]
}

function childLine({ childId, agentId, outcome }: ChildMark, { style, wholeIds }: TranscriptOptions): string {
  const what = outcome === undefined ? `child of ${plainLine(agentId ?? 'unknown')}` : `child ${outcome}`
  return `${indent}${style.accent('↳')} ${what} ${style.faint(`holdfast show ${shownId(childId, wholeIds)}`)}`
}

function remarkLine({ tone, text, seq }: RemarkMark, { style, width }: TranscriptOptions): string {
  const look = { plain: style.faint, warn: style.warn, bad: style.bad }[tone]
  return look(cut(`${indent}— ${plainLine(text)} #${seq}`, width))
}

function rule(text: string, width: number): string {
  return `──${cut(text, width - 4)}${'─'.repeat(Math.max(width - widthOf(text) - 2, 2))}`
}
