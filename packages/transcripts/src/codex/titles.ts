/** What names a session: the name that its thread was given, else the first words of its user. */
import type { JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { shortened } from '../short-title.ts'
import { textOf } from './meta.ts'

/** The name that the thread has from this event on. */
export function nameGivenIn({ type, thread_name }: JsonObject): string | undefined {
  return type === 'thread_name_updated' ? titleOf(textOf(thread_name)) : undefined
}

/** The first line of what a user said in this event, or in this item. */
export function titleIn(payload: JsonObject): string | undefined {
  const said = saidIn(payload)
  return said === undefined ? undefined : titleOf(requestIn(said))
}

/** What a user said, without what the program put around it; the newer of two events holds an item. */
function saidIn(payload: JsonObject): string | undefined {
  const { type, message, item, role } = payload
  if (type === 'user_message') return textOf(message)
  if (type === 'message' && role === 'user') return firstTextOf(payload)
  const said = type === 'item_completed' ? objectOf(item) : undefined
  return said?.type === 'UserMessage' ? firstTextOf(said) : undefined
}

function firstTextOf({ content }: JsonObject): string | undefined {
  if (!Array.isArray(content)) return textOf(content)
  return content.map((part) => textOf(objectOf(part)?.text)).find((text) => text !== undefined)
}

/** An editor tells what is open in it first. */
const isFromEditor = /^\s*# Context from my IDE setup:/
const request = /^## My request for Codex:/m

function requestIn(said: string): string {
  const found = isFromEditor.test(said) ? request.exec(said) : null
  return found ? said.slice(found.index + found[0].length) : said
}

function titleOf(text: string | undefined): string | undefined {
  const line = text?.trim().split('\n')[0]
  return line ? shortened(line) : undefined
}
