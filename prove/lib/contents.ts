/**
 * What a write says, as lines of text: computed by the writer from what it sends and by the auditor from the raw log,
 * so that both can be compared by a hash. Every line holds the write's own id.
 */
import { hash } from 'node:crypto'

export function hashOf(lines: readonly string[]): string {
  return hash('sha256', JSON.stringify(lines)).slice(0, 24)
}

const opPattern = /op-\d+-\w+-\d+/

/** The write that an event belongs to by its content; undefined for events that carry none. */
export function opOf(line: string): string | undefined {
  return opPattern.exec(line)?.[0]
}

interface Said {
  type: string
  data: Record<string, unknown>
}

/** By their data: the same event read again has the same object. */
const lines = new WeakMap<Said['data'], string | undefined>()

/** The line of an event; undefined when it says nothing that a caller chose. */
export function lineOf(event: Said): string | undefined {
  if (!lines.has(event.data)) lines.set(event.data, newLine(event))
  return lines.get(event.data)
}

function newLine({ type, data }: Said): string | undefined {
  switch (type) {
    case 'session.created':
      return line('create', data.title)
    case 'message.appended':
      // What a recovery keeps of a draft is its own message, not the one that was never sent.
      if (data.finish === 'interrupted') return undefined
      return line(String(data.role), data.parts)
    case 'tool.finished':
      return data.synthetic ? undefined : line('result', data.output, data.callId)
    case 'usage.recorded':
      return line('usage', data.attemptId, data.promptTokens, data.completionTokens, data.costMicrocents)
    case 'compaction.applied':
      return line('compact', data.summary)
    case 'run.started':
      return line('start', data.runId)
    default:
      return undefined
  }
}

export function line(...values: unknown[]): string {
  return values.map((value) => (typeof value === 'string' ? value : JSON.stringify(sorted(value)))).join(' ')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .sort()
      .map(([key, item]) => [key, sorted(item)]),
  )
}
