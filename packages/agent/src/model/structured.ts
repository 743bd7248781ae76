/** An answer that must be JSON of a shape. */
import type { LanguageModelV4Message } from '@ai-sdk/provider'
import type { Json } from '@holdfast/protocol'
import type { Schema } from '../define/schema.ts'

/** The value, or what is wrong with the text. */
export function structured(schema: Schema, text: string): { value: unknown } | { why: string } {
  const json = parsed(text)
  if (json === undefined) return { why: 'it is no JSON' }
  const checked = schema.check(json)
  return checked.ok ? { value: checked.value } : { why: checked.why }
}

/** Told to the model with the next attempt; it is no part of the session. */
export function correction(text: string, why: string): LanguageModelV4Message[] {
  const asked = `That answer cannot be used: ${why}. Answer again with JSON of the wanted shape, and nothing else.`
  return [
    ...(text.trim() === ''
      ? []
      : [{ role: 'assistant' as const, content: [{ type: 'text' as const, text }] }]),
    { role: 'user', content: [{ type: 'text', text: asked }] },
  ]
}

/** Models like to put JSON between fences. */
function parsed(text: string): Json | undefined {
  const inner = /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text
  try {
    return JSON.parse(inner) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
