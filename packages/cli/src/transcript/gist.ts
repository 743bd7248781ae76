/** The gist of a tool call in a line: what it was called with, and what came back. */
import type { Json } from '@holdfast/protocol'
import { count } from '../terminal/figures.ts'
import { plainLine } from '../terminal/plain.ts'

/** Inputs that say the most, in the order they are looked for. */
const telling = [
  'description',
  'command',
  'cmd',
  'file_path',
  'path',
  'pattern',
  'query',
  'url',
  'prompt',
  'subject',
]
const longest = 400

export function inputGist(input: Json): string {
  if (typeof input === 'string') return plainLine(input.slice(0, longest))
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return plainLine(textOfJson(input))
  const key = telling.find((name) => typeof input[name] === 'string' && input[name] !== '')
  if (key !== undefined) return plainLine(String(input[key]).slice(0, longest))
  const fields = Object.entries(input).map(([name, value]) => `${name}: ${textOfJson(value)}`)
  return plainLine(fields.join(', ').slice(0, longest))
}

export function outputGist(output: Json): string {
  const text = outputText(output)
  if (text.trim() === '') return 'empty'
  const lines = text.trimEnd().split('\n').length
  return lines === 1 && text.length <= 60 ? plainLine(text) : count(lines, 'line')
}

/** What came back as text: content blocks are joined, anything else is shown as JSON. */
export function outputText(output: Json): string {
  if (typeof output === 'string') return output
  if (Array.isArray(output) && output.every(isTextBlock)) return output.map(({ text }) => text).join('\n')
  if (output === null) return ''
  return JSON.stringify(output, undefined, 2)
}

function isTextBlock(value: Json): value is { type: string; text: string } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && typeof value.text === 'string'
  )
}

function textOfJson(value: Json | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '').slice(0, longest)
}
