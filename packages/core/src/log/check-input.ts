/** Everything a host hands in is checked here, once, before it becomes a command. */
import {
  type Actor,
  actor,
  checkBytes,
  checkOwnKeys,
  HoldfastError,
  type Json,
  type JsonObject,
  type LimitName,
  limits,
  type MessageInput,
  messageInput,
  parseInput,
  scanCopy,
  scanValue,
  traceIdPattern,
} from '@holdfast/protocol'
import type { KnownTexts } from './known-texts.ts'
import { plainMessage } from './plain-message.ts'

/** What a schema accepts, before its defaults. */
export type Input<S extends { _zod: { input: unknown } }> = S['_zod']['input']
export type NewMessage = Input<typeof messageInput>

/** The checked message, detached; its parts are written out as JSON in the same pass. */
export function checkMessage(value: NewMessage, texts: KnownTexts): MessageInput {
  const plain = plainMessage(value)
  const message = plain ?? parseInput(messageInput, value, 'message')
  if (message.parts.length > limits.messageParts) scanLimit('messageParts', message.parts.length)
  // As deep as in the message that the caller gave.
  const given = { parts: message.parts }
  const { copy, text } = plain
    ? { copy: given, text: scanValue(given, 'eventBytes', 'message') }
    : scanCopy(given, 'eventBytes', 'message')
  const { parts } = copy
  rememberOutputs(parts, texts)
  texts.rememberOwn(parts, text.slice('{"parts":'.length, -1))
  if (plain) return plain
  const { parts: _parts, ...rest } = message
  return { ...(JSON.parse(scanValue(rest, 'eventBytes', 'message')) as typeof rest), parts }
}

function rememberOutputs(parts: MessageInput['parts'], texts: KnownTexts): void {
  for (const part of parts) {
    if (part.type !== 'tool_result') continue
    const { output } = part
    texts.remember(output, scanValue(output, 'eventBytes', 'output'))
  }
}

/** A tool's output, detached; a large one is written out once. */
export function checkOutput(output: Json, texts: KnownTexts): Json {
  const { copy, text } = scanCopy(output, 'eventBytes', 'output')
  texts.remember(copy, text)
  return copy
}

/** What a note holds, detached, with the fields beside it: all of it is counted together. */
export function checkNoted(data: Json, beside: { kind?: unknown }, texts: KnownTexts): Json {
  const { copy, text } = scanCopy({ data, ...beside }, 'eventBytes', 'command')
  texts.remember(copy.data, text.slice('{"data":'.length, -JSON.stringify(beside).length))
  return copy.data
}

function scanLimit(limit: LimitName, actual: number): never {
  throw new HoldfastError(
    'limit_exceeded',
    `message: ${actual} is more than ${limit} allows (${limits[limit]}).`,
    {
      details: { limit, max: limits[limit], actual },
    },
  )
}

/** A detached copy of a JSON value: what the caller does with the original later changes nothing. */
export function checkJson(value: Json, limit: LimitName, what: string): Json {
  return JSON.parse(scanValue(value, limit, what)) as Json
}

export function checkObject(value: JsonObject, limit: LimitName, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HoldfastError('invalid_input', `${what}: expected an object.`)
  }
  const copy = checkJson(value, limit, what) as JsonObject
  checkOwnKeys(copy, what)
  return copy
}

/** A text that is stored as it is. */
export function checkText(value: string, limit: LimitName, what: string): string {
  if (typeof value !== 'string') throw new HoldfastError('invalid_input', `${what}: expected a text.`)
  if (!value.isWellFormed()) throw new HoldfastError('invalid_input', `${what}: a lone surrogate.`)
  checkBytes(limit, value, what)
  return value
}

const keyPattern = /^[\x21-\x7e]{1,255}$/

/** Idempotency keys travel in an HTTP header: visible ASCII. */
export function checkKey(key: string): string {
  if (typeof key === 'string' && keyPattern.test(key)) return key
  throw new HoldfastError('invalid_input', 'idempotency key: 1 to 255 visible ASCII characters.')
}

export function checkTraceId(traceId: string): string {
  if (typeof traceId === 'string' && traceIdPattern.test(traceId)) return traceId
  throw new HoldfastError('invalid_input', 'traceId: 32 lower-case hex digits, not all of them zero.')
}

export function checkActor(value: Actor): Actor {
  return parseInput(actor, value, 'actor')
}
