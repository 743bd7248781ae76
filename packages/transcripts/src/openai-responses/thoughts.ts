/** Thoughts as items: a summary for everybody, the thought itself from some models, or what only OpenAI can read. */
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { objectOf } from './json.ts'

type Thought = MessagePart & { type: 'reasoning' }

export function thoughtOf({ type: _type, encrypted_content: encrypted, ...rest }: JsonObject): Thought {
  const text = [...textsOf(rest.summary), ...textsOf(rest.content)].join('\n\n')
  if (typeof encrypted === 'string') return { type: 'reasoning', text, encrypted, provider: { item: rest } }
  const item = encrypted === undefined ? rest : { ...rest, encrypted_content: encrypted }
  return { type: 'reasoning', text, provider: { item } }
}

function textsOf(content: Json | undefined): string[] {
  if (!Array.isArray(content)) return []
  return content.flatMap((part) => {
    const text = objectOf(part)?.text
    return typeof text === 'string' ? [text] : []
  })
}

/** Undefined for thoughts of another provider: OpenAI takes only what it encrypted itself. */
export function thoughtItem({ text, encrypted, provider }: Thought): JsonObject | undefined {
  const item = objectOf(provider?.item)
  const sealed = item ? encrypted : objectOf(provider?.openai)?.reasoningEncryptedContent
  if (!item && typeof sealed !== 'string') return undefined
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return {
    type: 'reasoning',
    ...(item ?? { summary }),
    ...(typeof sealed === 'string' && { encrypted_content: sealed }),
  }
}
