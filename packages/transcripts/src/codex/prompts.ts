/** The words of a user that begin a turn, as Codex counts its turns: what it tells the model itself in that role begins none. */
import type { Json, JsonObject, MessageInput } from '@holdfast/protocol'
import { isPrompt, objectOf } from '../openai-responses/items.ts'

export function beginsTurn(item: JsonObject): boolean {
  return isPrompt(item) && isSaid(textsIn(item))
}

/** The same, of a message that was made of such an item. */
export function isPromptMessage({ role, parts }: Pick<MessageInput, 'role' | 'parts'>): boolean {
  return role === 'user' && isSaid(parts.flatMap((part) => ('text' in part ? [part.text] : [])))
}

function isSaid(texts: readonly string[]): boolean {
  return !texts.some((text) => isOfCodex.test(text))
}

export const taskBegins: readonly Json[] = ['task_started', 'turn_started']

/** What comes next is of another turn, though nobody said anything yet. */
export function tellsOfTurn({ type, payload }: JsonObject): boolean {
  const event = type === 'event_msg' ? (objectOf(payload)?.type ?? '') : ''
  return type === 'turn_context' || taskBegins.includes(event)
}

const isOfCodex =
  /^\s*(?:# AGENTS\.md instructions|<(?:environment_context|user_instructions|skill|user_shell_command|turn_aborted|subagent_notification|hook_prompt)\b)/i

function textsIn({ content }: JsonObject): string[] {
  const parts: readonly Json[] = Array.isArray(content) ? content : [{ text: content ?? null }]
  return parts.map((part) => objectOf(part)?.text).filter((text) => typeof text === 'string')
}
