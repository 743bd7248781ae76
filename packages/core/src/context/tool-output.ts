/**
 * Tool outputs too large for a model: the beginning and the end stay, a marker between them says what is gone. Sizes are
 * UTF-8 bytes and cuts fall between code points. The stored output is never touched.
 */
import { type Json, type Message, type MessagePart, utf8Bytes } from '@holdfast/protocol'

export interface Shortening {
  aboveBytes: number
  headBytes: number
  tailBytes: number
}

/** For every output. What is kept and the marker stay far below the limit, so doing it twice changes nothing. */
export const oversized: Shortening = { aboveBytes: 256 * 1024, headBytes: 160 * 1024, tailBytes: 64 * 1024 }

/** For old outputs once the context is trimmed. */
export const excerpt: Shortening = { aboveBytes: 2 * 1024, headBytes: 1024, tailBytes: 512 }

export function shortenText(
  text: string,
  { aboveBytes, headBytes, tailBytes }: Shortening = oversized,
): string {
  if (text.length <= aboveBytes / 3) return text
  const original = utf8Bytes(text)
  if (original <= aboveBytes) return text
  const head = text.slice(0, unitsWithin(text, headBytes))
  const tail = text.slice(text.length - unitsWithinEnd(text, tailBytes))
  const kept = utf8Bytes(head) + utf8Bytes(tail)
  return `${head}\n[${original - kept} bytes omitted: the output had ${original} bytes, ${kept} are kept]\n${tail}`
}

/** A value that is no text is shortened as its JSON text. */
export function shortenOutput(output: Json, shortening: Shortening = oversized): Json {
  const text = typeof output === 'string' ? output : JSON.stringify(output)
  const short = shortenText(text, shortening)
  return short === text ? output : short
}

/** The messages with oversized tool outputs shortened, and how many messages that changed. */
export function compactOversizedToolMessages(messages: readonly Message[]): {
  messages: Message[]
  changed: number
} {
  const compacted = messages.map((message) => shortenMessage(message))
  return { messages: compacted, changed: compacted.filter((message, i) => message !== messages[i]).length }
}

/** The same message when nothing in it is too large. */
export function shortenMessage(message: Message, shortening: Shortening = oversized): Message {
  const parts = message.parts.map((part) => shortenPart(part, shortening))
  return parts.some((part, i) => part !== message.parts[i]) ? { ...message, parts } : message
}

function shortenPart(part: MessagePart, shortening: Shortening): MessagePart {
  if (part.type !== 'tool_result') return part
  const output = shortenOutput(part.output, shortening)
  return output === part.output ? part : { ...part, output }
}

/** UTF-16 units of the longest beginning that has at most `bytes` bytes. */
function unitsWithin(text: string, bytes: number): number {
  let units = 0
  let left = bytes
  while (units < text.length) {
    const point = text.codePointAt(units) ?? 0
    left -= bytesOf(point)
    if (left < 0) break
    units += point > 0xffff ? 2 : 1
  }
  return units
}

/** The same for the end. */
function unitsWithinEnd(text: string, bytes: number): number {
  let start = text.length
  let left = bytes
  while (start > 0) {
    const point = pointBefore(text, start)
    left -= bytesOf(point)
    if (left < 0) break
    start -= point > 0xffff ? 2 : 1
  }
  return text.length - start
}

function pointBefore(text: string, end: number): number {
  const pair = end >= 2 ? (text.codePointAt(end - 2) ?? 0) : 0
  return pair > 0xffff ? pair : text.charCodeAt(end - 1)
}

function bytesOf(point: number): number {
  if (point < 0x80) return 1
  if (point < 0x800) return 2
  return point < 0x10000 ? 3 : 4
}
