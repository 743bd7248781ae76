/** One plain text is a text, as most programs write it; everything else a list of parts. */
import type { Json } from '@holdfast/protocol'
import { isObject } from './session.ts'

export function shortest(parts: readonly Json[]): Json {
  const [only, ...rest] = parts
  if (rest.length > 0 || !isObject(only)) return [...parts]
  const { type, text, ...beside } = only
  const isPlain = type === 'text' && typeof text === 'string' && Object.keys(beside).length === 0
  return isPlain ? text : [only]
}
