/** Lines of a Claude Code file, as short as a reader takes them. `nth`, `parent`: numbers that become uuids and times. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const stamp = (nth: number) => new Date(Date.UTC(2026, 4, 6, 7, 8, nth)).toISOString()

function line(nth: number, parent: number | null, type: string, message: object, beside: object = {}) {
  const uuid = (of: number) => `00000000-0000-4000-8000-${String(of).padStart(12, '0')}`
  const place = { uuid: uuid(nth), parentUuid: parent === null ? null : uuid(parent), timestamp: stamp(nth) }
  return { ...place, sessionId: 's', type, message, ...beside }
}

export const says = (nth: number, parent: number | null, content: string) =>
  line(nth, parent, 'user', { role: 'user', content })

export function answers(nth: number, parent: number, id: string, block: object, usage: object = {}) {
  const figures = { input_tokens: 10, output_tokens: 5, ...usage }
  return line(nth, parent, 'assistant', {
    ...{ id, role: 'assistant', model: 'claude-opus-4-5', usage: figures, content: [block] },
  })
}

export const text = (words: string) => ({ type: 'text', text: words })
export const calls = (id: string, name = 'Bash') => ({ type: 'tool_use', id, name, input: {} })

export function result(nth: number, parent: number, id: string, beside: object = {}) {
  const content = [{ type: 'tool_result', tool_use_id: id, content: 'done' }]
  return line(nth, parent, 'user', { role: 'user', content }, beside)
}

/** By their names: lines, a JSON text, or text as it is. */
export type Files = Readonly<Record<string, readonly object[] | object | string>>

export function save(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), textOf(content))
  }
}

function textOf(content: Files[string]): string {
  if (typeof content === 'string') return content
  return Array.isArray(content)
    ? content.map((each) => `${JSON.stringify(each)}\n`).join('')
    : JSON.stringify(content)
}
