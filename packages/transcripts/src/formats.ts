/** The formats that are known, in the order in which a file is tried. */
import { HoldfastError } from '@holdfast/protocol'
import { claudeCode } from './claude-code/index.ts'
import { codex } from './codex/index.ts'
import type { Format } from './contract.ts'
import type { Head } from './head.ts'
import { holdfastLog } from './holdfast/index.ts'
import { openaiChat } from './openai-chat/index.ts'
import { openaiResponses } from './openai-responses/index.ts'
import { Source } from './source.ts'

export const formats: readonly Format[] = [holdfastLog, claudeCode, codex, openaiChat, openaiResponses]

/** `invalid_input` when there is none with this name. */
export function formatNamed(name: string): Format {
  const format = formats.find((each) => each.name === name)
  if (format) return format
  const known = formats.map((each) => each.name).join(', ')
  throw new HoldfastError('invalid_input', `there is no format ${name}; known are ${known}`)
}

/** By content, whatever the file is called. `invalid_input` says what was looked for; unreadable: the system's own error. */
export async function detectFormat(path: string): Promise<Format> {
  const source = await Source.open(path)
  try {
    return await formatOf(source)
  } finally {
    await source.close()
  }
}

export async function formatOf(source: Source): Promise<Format> {
  const head = await source.head()
  const found = formats.find((format) => format.detect(head))
  if (found) return found
  const message = `${source.path} is no transcript we know: ${whyNot(head)}`
  throw new HoldfastError('invalid_input', message, { details: { isSomethingElse: isSomethingElse(head) } })
}

/** JSON, or nothing yet: that no format finds itself in it is not for damage. */
function isSomethingElse({ encoding, isBlank, records, begin }: Head): boolean {
  return isBlank || (encoding === 'utf-8' && (!records.isEmpty || /^(?:["\d-]|null|true|false)/.test(begin)))
}

function whyNot(head: Head): string {
  if (head.encoding === 'UTF-16') return 'it is UTF-16; save it as UTF-8'
  if (head.encoding === 'binary') return 'it is binary, no text'
  if (head.isEmpty) return 'it is empty'
  if (head.records.isEmpty) return 'it holds no JSON object or array'
  return `looked for ${formats.map(({ name, lookedFor }) => `${lookedFor} (${name})`).join('; ')}`
}
