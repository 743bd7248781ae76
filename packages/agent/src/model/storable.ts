/** Values of others that the log may not take as they are: deeper, longer or with larger numbers than it holds. */
import { isHoldfastError, type Json, type JsonObject, scanValue } from '@holdfast/protocol'

/** Whether the log takes the value as it is. */
export function isStorable(value: Json): boolean {
  try {
    scanValue(value, 'eventBytes', 'value')
    return true
  } catch (error) {
    if (isHoldfastError(error)) return false
    throw error
  }
}

/** JSON text that `JSON.parse` takes and the log too; undefined for any other. */
export function parseStorable(text: string): Json | undefined {
  try {
    const value = JSON.parse(text) as Json
    return isStorable(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const WRAPPED = 'holdfast_json'

/** What a provider sent beside the text, so that `unwrapped` gives it back as it was. */
export function wrapped(metadata: unknown): JsonObject {
  const object = metadata as JsonObject
  return isStorable(object) ? object : { [WRAPPED]: JSON.stringify(object) }
}

export function unwrapped(provider: JsonObject): JsonObject {
  const text = provider[WRAPPED]
  return typeof text === 'string' ? (JSON.parse(text) as JsonObject) : provider
}
