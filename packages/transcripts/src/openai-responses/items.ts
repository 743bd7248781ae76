/** One item of the Responses API into the turn that is being built; Codex keeps the same items. */
import type { FileReference, NewFile } from '@holdfast/core'
import { externalIdPattern, type Json, type JsonObject, limits, type MessagePart } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'
import type { TurnBuilder } from '../turn-builder.ts'

export interface ItemContext {
  builder: TurnBuilder
  report: LossReport
  /** Kind of the note that keeps an item which is no part of a conversation. */
  noteKind: string
  putImage(file: NewFile): Promise<FileReference>
}

export interface ReadItem {
  turns: Iterable<Turn>
  fate: 'carried' | 'opaque'
}

const carried: ReadItem = { turns: [], fate: 'carried' }

export async function readItem(
  item: JsonObject,
  at: string | undefined,
  context: ItemContext,
): Promise<ReadItem> {
  const { builder } = context
  const type = item.type ?? (item.role === undefined ? undefined : 'message')
  if (type === 'message') return readMessage(item, at, context)
  const part = partOf(item)
  if (part) {
    builder.reply([part], at)
    return carried
  }
  if (typeof type === 'string' && type.endsWith('_call_output')) return readOutput(item, at, context)
  return keep(item, at, context)
}

/** Words of a user: what was said before is answered no more. */
export function isPrompt({ type, role }: JsonObject): boolean {
  return (type === undefined || type === 'message') && role === 'user'
}

async function readMessage(
  item: JsonObject,
  at: string | undefined,
  context: ItemContext,
): Promise<ReadItem> {
  const { role, content, type: _type, ...rest } = item
  const parts = await contentParts(content, context)
  if (parts.length === 0) return keep(item, at, context)
  if (role === 'assistant') {
    context.builder.reply(startOfItem(parts, rest), at)
    return carried
  }
  for (const field of Object.keys(rest)) context.report.drop(`item.${field}`)
  if (role === 'user') return { turns: [...context.builder.say({ role, parts }, at)], fate: 'carried' }
  if (role !== 'system' && role !== 'developer') return keep(item, at, context)
  const message = { role: 'system' as const, parts, ...(role === 'developer' && { author: role }) }
  return { turns: [...context.builder.say(message, at)], fate: 'carried' }
}

/** The first part of an item says so: several items make one message. */
function startOfItem([first, ...others]: readonly MessagePart[], rest: JsonObject): MessagePart[] {
  return [withItem(first as MessagePart, rest), ...others]
}

function withItem(part: MessagePart, rest: JsonObject): MessagePart {
  if (part.type === 'data') return part
  return { ...part, provider: { ...part.provider, item: rest } }
}

async function contentParts(content: Json | undefined, context: ItemContext): Promise<MessagePart[]> {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return []
  return Promise.all(content.map((part) => contentPart(part, context)))
}

const textTypes = ['input_text', 'output_text', 'text']

async function contentPart(value: Json, { putImage }: ItemContext): Promise<MessagePart> {
  const { type, text, ...rest } = objectOf(value) ?? {}
  if (typeof text === 'string' && textTypes.includes(String(type)))
    return { type: 'text', text, ...(Object.keys(rest).length > 0 && { provider: rest }) }
  const file = imageFileOf(objectOf(value))
  if (file) return { type: 'image', ...(await putImage(file)) }
  return { type: 'data', name: 'responses.content', data: value }
}

const dataAddress = /^data:([\w.+-]+\/[\w.+-]+);base64,([A-Za-z0-9+/]+=*)$/

function imageFileOf(part: JsonObject | undefined): NewFile | undefined {
  if (part?.type !== 'input_image' || typeof part.image_url !== 'string' || Object.keys(part).length > 2)
    return undefined
  const [, mediaType, base64 = ''] = dataAddress.exec(part.image_url) ?? []
  const bytes = Buffer.from(base64, 'base64')
  if (mediaType === undefined || bytes.length > limits.attachmentBytes) return undefined
  return bytes.toString('base64') === base64 ? { bytes, mediaType } : undefined
}

/** What an assistant did beside speaking. */
function partOf(item: JsonObject): MessagePart | undefined {
  const { type, ...fields } = item
  switch (type) {
    case 'reasoning': {
      const { encrypted_content: encrypted, ...rest } = fields
      const text = textsOf(rest.summary).join('\n\n')
      return { type, text, ...(typeof encrypted === 'string' && { encrypted }), provider: { item: rest } }
    }
    case 'function_call': {
      const { name, arguments: text, call_id, ...rest } = fields
      if (typeof text !== 'string') return undefined
      const input = parsed(text)
      const isExact = input !== undefined && JSON.stringify(input) === text
      const beside = { item: { type, ...rest }, ...(!isExact && { arguments: text }) }
      return callPart(name, call_id, input ?? text, beside)
    }
    case 'custom_tool_call': {
      const { name, input = null, call_id, ...rest } = fields
      return callPart(name, call_id, input, { item: { type, ...rest } })
    }
    case 'local_shell_call': {
      const { action = null, call_id, ...rest } = fields
      return callPart('local_shell', call_id, action, { item: { type, ...rest } })
    }
    case 'web_search_call':
    case 'file_search_call':
    case 'image_generation_call':
    case 'code_interpreter_call':
      return { type: 'data', name: `responses.${type}`, data: item }
    default:
      return undefined
  }
}

function callPart(
  name: Json | undefined,
  callId: Json | undefined,
  input: Json,
  provider: JsonObject,
): MessagePart | undefined {
  if (!isName(name) || !isName(callId)) return undefined
  return { type: 'tool_call', callId, name, input, provider }
}

function readOutput(item: JsonObject, at: string | undefined, context: ItemContext): ReadItem {
  const { call_id: callId, output = null, ...rest } = item
  if (!isName(callId)) return keep(item, at, context)
  const answer = context.builder.result({ callId, output, outcome: 'ok', provider: { item: rest } }, at)
  if (answer === 'answered') return carried
  return keep(item, at, context, answer === 'again' ? 'second result of a call' : 'orphan result')
}

function keep(
  item: JsonObject,
  at: string | undefined,
  { builder, report, noteKind }: ItemContext,
  what = `${typeof item.type === 'string' ? item.type : 'unknown'} item`,
): ReadItem {
  report.keep(what)
  builder.note({ kind: noteKind, data: item }, at)
  return { turns: [], fate: 'opaque' }
}

function textsOf(summary: Json | undefined): string[] {
  if (!Array.isArray(summary)) return []
  return summary.flatMap((part) => {
    const text = objectOf(part)?.text
    return typeof text === 'string' ? [text] : []
  })
}

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
