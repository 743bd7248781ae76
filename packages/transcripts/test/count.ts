/**
 * Counts raw transcripts straight from their JSON, sharing no code with the readers: whoever changes the one has the other
 * against him. `node packages/transcripts/test/count.ts FILE…` prints the counts of each file.
 */
import { readFileSync } from 'node:fs'

interface Usage {
  promptTokens: number
  completionTokens: number
  cachedReadTokens: number
  reasoningTokens: number
}

export interface Counted extends Usage {
  /** Lines with something in them. */
  lines: number
  notJson: number[]
  roles: Record<string, number>
  calls: number
  results: number
  orphanCalls: number
  orphanResults: number
}

interface Line {
  type?: string
  message?: { id?: string; role?: string; content?: unknown; usage?: Record<string, number> }
  payload?: {
    type?: string
    role?: string
    call_id?: string
    info?: { total_token_usage?: Record<string, number> } | null
  }
}

interface Block {
  type?: string
  id?: string
  tool_use_id?: string
}

function linesOf(path: string): { values: Line[]; notJson: number[] } {
  const values: Line[] = []
  const notJson: number[] = []
  readFileSync(path, 'utf8')
    .split('\n')
    .forEach((text, at) => {
      if (text.trim() === '') return
      try {
        values.push(JSON.parse(text) as Line)
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error
        notJson.push(at + 1)
      }
    })
  return { values, notJson }
}

/** Every line of the file, abandoned branches among them. */
export function countClaude(path: string): Counted {
  const { values, notJson } = linesOf(path)
  const usage = new Map<string, Record<string, number>>()
  const calls = new Set<string>()
  const results = new Set<string>()
  const roles = new Map<string, Set<string>>()
  for (const [at, { type, message }] of values.entries()) {
    if (!message || (type !== 'user' && type !== 'assistant')) continue
    const id = message.id ?? `line ${at}`
    roles.set(type, (roles.get(type) ?? new Set()).add(id))
    if (type === 'assistant' && message.usage && message.id !== undefined)
      usage.set(message.id, message.usage)
    for (const block of Array.isArray(message.content) ? (message.content as Block[]) : []) {
      if (block.type === 'tool_use' && block.id !== undefined) calls.add(block.id)
      if (block.type === 'tool_result' && block.tool_use_id !== undefined) results.add(block.tool_use_id)
    }
  }
  const sum = (field: string) => [...usage.values()].reduce((total, each) => total + (each[field] ?? 0), 0)
  const cachedReadTokens = sum('cache_read_input_tokens')
  return {
    ...counted(values.length + notJson.length, notJson, calls, results),
    roles: Object.fromEntries([...roles].map(([role, ids]) => [role, ids.size])),
    promptTokens: sum('input_tokens') + sum('cache_creation_input_tokens') + cachedReadTokens,
    completionTokens: sum('output_tokens'),
    cachedReadTokens,
    reasoningTokens: 0,
  }
}

export function countCodex(path: string): Counted {
  const { values, notJson } = linesOf(path)
  const roles: Record<string, number> = {}
  const calls = new Set<string>()
  const results = new Set<string>()
  let totals: Record<string, number> = {}
  for (const { type, payload } of values) {
    if (type === 'response_item' && payload?.type === 'message') {
      const role = payload.role ?? 'none'
      roles[role] = (roles[role] ?? 0) + 1
    }
    if (type === 'response_item' && payload?.call_id !== undefined)
      (payload.type?.endsWith('_output') ? results : calls).add(payload.call_id)
    if (payload?.type === 'token_count') totals = payload.info?.total_token_usage ?? totals
  }
  return {
    ...counted(values.length + notJson.length, notJson, calls, results),
    roles,
    promptTokens: totals.input_tokens ?? 0,
    completionTokens: totals.output_tokens ?? 0,
    cachedReadTokens: totals.cached_input_tokens ?? 0,
    reasoningTokens: totals.reasoning_output_tokens ?? 0,
  }
}

function counted(lines: number, notJson: number[], calls: ReadonlySet<string>, results: ReadonlySet<string>) {
  return {
    lines,
    notJson,
    calls: calls.size,
    results: results.size,
    orphanCalls: [...calls].filter((id) => !results.has(id)).length,
    orphanResults: [...results].filter((id) => !calls.has(id)).length,
  }
}

if (import.meta.main) {
  for (const path of process.argv.slice(2)) {
    const isCodex = readFileSync(path, 'utf8').includes('"session_meta"')
    console.log(path, isCodex ? countCodex(path) : countClaude(path))
  }
}
