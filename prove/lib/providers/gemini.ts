/**
 * A view as the contents of a request to Gemini, and the rules of that interface: a function call turn comes right after
 * a user turn or a function response turn; the response turn right after it, with as many parts, for the same functions
 * in the same order; the user speaks first and last; no part is empty.
 */
import type { ProviderMessage } from '@holdfast/core'

interface Content {
  kind: 'user' | 'model' | 'response'
  texts: string[]
  calls: string[]
  responses: string[]
}

export function geminiFaults(view: readonly ProviderMessage[]): string[] {
  const contents = requestOf(view)
  return [
    ...(contents[0]?.kind === 'user' ? [] : ['first content should be with role user']),
    ...(contents.at(-1)?.kind === 'model' ? ['requests end with a user turn or a function response'] : []),
    ...contents.flatMap((content, at) =>
      turnFaults(content, contents[at - 1], contents[at + 1]).map((fault) => `contents.${at}: ${fault}`),
    ),
  ]
}

function turnFaults(
  { kind, texts, calls, responses }: Content,
  before: Content | undefined,
  after: Content | undefined,
): string[] {
  const faults: string[] = []
  if (texts.length + calls.length + responses.length === 0) faults.push('must include at least one part')
  if (texts.some((text) => text.trim() === '')) faults.push('a text part must not be empty')
  if (calls.length > 0) {
    if (kind !== 'model') faults.push('a function call is of the model')
    if (before === undefined || before.kind === 'model')
      faults.push('a function call turn comes right after a user turn or a function response turn')
    if (after?.kind !== 'response') faults.push('a function call turn has no function response turn after it')
  }
  if (kind === 'response') {
    const asked = before?.calls ?? []
    if (asked.length !== responses.length)
      faults.push(`${responses.length} function response parts for ${asked.length} function call parts`)
    else if (asked.join() !== responses.join()) faults.push('the responses are not for the functions called')
  }
  return faults
}

/** Neighbours that both are the model's, or both responses, are one content. A response is named after its function. */
function requestOf(view: readonly ProviderMessage[]): Content[] {
  const contents: Content[] = []
  const names = new Map<string, string>()
  for (const { role, parts } of view) {
    if (role === 'system') continue
    const content: Content = { kind: kindOf(role), texts: [], calls: [], responses: [] }
    for (const part of parts) {
      if (part.type === 'text') content.texts.push(part.text)
      else if (part.type === 'tool_result') content.responses.push(names.get(part.callId) ?? 'unknown')
      else if (part.type === 'tool_call') {
        names.set(part.callId, part.name)
        content.calls.push(part.name)
      } else if (part.type !== 'reasoning') content.texts.push(JSON.stringify(part))
    }
    const last = contents.at(-1)
    if (last?.kind === content.kind && content.kind !== 'user') join(last, content)
    else contents.push(content)
  }
  return contents
}

function kindOf(role: ProviderMessage['role']): Content['kind'] {
  if (role === 'assistant') return 'model'
  return role === 'tool' ? 'response' : 'user'
}

function join(content: Content, more: Content): void {
  content.texts.push(...more.texts)
  content.calls.push(...more.calls)
  content.responses.push(...more.responses)
}
