/**
 * A count of a Claude Code file made straight from its JSON, written without a look at the importer: whoever changes the
 * one has the other against him.
 */
import { readFileSync } from 'node:fs'

interface Block {
  type: string
  id?: string
  tool_use_id?: string
  thinking?: string
  signature?: string
}

interface RawLine {
  type: string
  uuid?: string
  parentUuid?: string | null
  timestamp?: string
  message?: { id?: string; content: string | Block[]; usage?: Record<string, number> }
}

export function rawLines(path: string): RawLine[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as RawLine]
      } catch (error) {
        if (error instanceof SyntaxError) return []
        throw error
      }
    })
}

export function countClaudeCode(path: string) {
  const lines = rawLines(path)
  const byUuid = new Map(lines.flatMap((line) => (line.uuid ? [[line.uuid, line] as const] : [])))
  const main = new Set<RawLine>()
  let line = lines.findLast(({ message }) => message !== undefined)
  while (line) {
    main.add(line)
    line = line.parentUuid ? byUuid.get(line.parentUuid) : undefined
  }
  const answers = new Map<string, RawLine[]>()
  for (const each of lines) {
    const id = each.type === 'assistant' ? each.message?.id : undefined
    if (id !== undefined) answers.set(id, [...(answers.get(id) ?? []), each])
  }
  const blocks = (each: RawLine) => (Array.isArray(each.message?.content) ? each.message.content : [])
  const results = lines.flatMap(blocks).filter(({ type }) => type === 'tool_result')
  const prompts = [...main].filter(
    (each) => each.type === 'user' && !blocks(each).some(({ type }) => type === 'tool_result'),
  )
  const usages = [...answers.values()].map((each) => each.at(-1)?.message?.usage ?? {})
  const sum = (field: string) => usages.reduce((total, usage) => total + (usage[field] ?? 0), 0)
  const cachedWriteTokens = sum('cache_creation_input_tokens')
  const cachedReadTokens = sum('cache_read_input_tokens')
  return {
    messageCount: prompts.length + answers.size + new Set(results.map((block) => block.tool_use_id)).size,
    roundCount: answers.size,
    promptTokens: sum('input_tokens') + cachedWriteTokens + cachedReadTokens,
    completionTokens: sum('output_tokens'),
    cachedReadTokens,
    cachedWriteTokens,
  }
}

/** Text and signature of every thought, in the order of the file. */
export function thoughtsOf(path: string): { text: string; signature: string }[] {
  return rawLines(path).flatMap(({ type, message }) => {
    const content = type === 'assistant' && Array.isArray(message?.content) ? message.content : []
    return content.flatMap(({ type: kind, thinking, signature }) =>
      kind === 'thinking' ? [{ text: thinking ?? '', signature: signature ?? '' }] : [],
    )
  })
}
