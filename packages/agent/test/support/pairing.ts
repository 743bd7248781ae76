/** What providers refuse in a prompt, said of the prompt itself: a model that checks it stands for the strictest of them. */
import type { LanguageModelV4Prompt } from '@ai-sdk/provider'

export function promptFaults(prompt: LanguageModelV4Prompt): string[] {
  const faults: string[] = []
  const ids = new Set<string>()
  let open: string[] = []
  for (const { role, content } of prompt) {
    if (role !== 'tool' && open.length > 0) faults.push(`calls ${open} have no result before the ${role}`)
    if (role === 'assistant') open = callsOf(content, ids, faults)
    if (role !== 'tool') continue
    for (const part of content) {
      if (part.type !== 'tool-result') continue
      if (!open.includes(part.toolCallId)) faults.push(`result ${part.toolCallId} answers no open call`)
      open = open.filter((id) => id !== part.toolCallId)
    }
  }
  if (open.length > 0) faults.push(`calls ${open} have no result`)
  const first = prompt.find(({ role }) => role !== 'system')
  if (first?.role !== 'user') faults.push('the user does not speak first')
  if (prompt.at(-1)?.role === 'assistant') faults.push('the assistant speaks last')
  return faults
}

type Content = Extract<LanguageModelV4Prompt[number], { role: 'assistant' }>['content']

function callsOf(content: Content, ids: Set<string>, faults: string[]): string[] {
  const calls = content.flatMap((part) => (part.type === 'tool-call' ? [part.toolCallId] : []))
  for (const id of calls) {
    if (ids.has(id)) faults.push(`two calls share the id ${id}`)
    ids.add(id)
  }
  return calls
}
