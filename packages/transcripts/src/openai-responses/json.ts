/** What a value of a transcript is. */
import { externalIdPattern, type Json, type JsonObject } from '@holdfast/protocol'

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
}

export function isName(value: unknown): value is string {
  return typeof value === 'string' && externalIdPattern.test(value) && value.trim() !== ''
}

export function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
