/** The words of a user that begin a turn, as Codex counts its turns: what it tells the model itself in that role begins none. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { isPrompt, objectOf } from '../openai-responses/items.ts'

export function beginsTurn(item: JsonObject): boolean {
  return isPrompt(item) && !textsIn(item).some((text) => isOfCodex.test(text))
}

const isOfCodex =
  /^\s*(?:# AGENTS\.md instructions|<(?:environment_context|user_instructions|skill|user_shell_command|turn_aborted|subagent_notification|hook_prompt)\b)/i

function textsIn({ content }: JsonObject): string[] {
  const parts: readonly Json[] = Array.isArray(content) ? content : [{ text: content ?? null }]
  return parts.map((part) => objectOf(part)?.text).filter((text) => typeof text === 'string')
}
