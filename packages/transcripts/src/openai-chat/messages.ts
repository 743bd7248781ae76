/** One message of the chat format into the turn that is being built. Whatever is not named here is kept as a note. */
import type { FileReference, NewFile } from '@holdfast/core'
import {
  externalIdPattern,
  type Json,
  type JsonObject,
  type MessageInput,
  type MessagePart,
} from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'
import type { TurnBuilder } from '../turn-builder.ts'
import { imageFileOf } from './images.ts'
import { isObject } from './session.ts'

export interface Keep {
  report: LossReport
  putImage(file: NewFile): Promise<FileReference>
}

/** Gives the turn that the message ended. */
export async function readMessage(value: Json, builder: TurnBuilder, keep: Keep): Promise<Iterable<Turn>> {
  const turns = isObject(value) ? await turnsOf(value, builder, keep) : undefined
  if (!isObject(value) || !turns) return keepWhole(value, builder, keep)
  for (const [field, item] of Object.entries(value))
    if (!readFields.includes(field) && !isNothing(item)) keep.report.drop(`message.${field}`)
  return turns
}

const readFields = ['role', 'content', 'name', 'tool_calls', 'tool_call_id', 'reasoning_content']

/** Undefined: it fits nowhere. */
async function turnsOf(value: JsonObject, builder: TurnBuilder, keep: Keep): Promise<Turn[] | undefined> {
  const { role, content, name, tool_calls: calls, reasoning_content: thought } = value
  if (role === 'tool') return readResult(value, builder)
  const parts = isNothing(content) ? [] : await partsOf(content, keep)
  if (role === 'assistant') {
    const reasoning: MessagePart[] = typeof thought === 'string' ? [{ type: 'reasoning', text: thought }] : []
    const spoken = [...reasoning, ...parts, ...(Array.isArray(calls) ? calls.map(callPart) : [])]
    if (spoken.length === 0) return undefined
    builder.reply(spoken, undefined)
    builder.closeReply()
    return []
  }
  const isSystem = role === 'system' || role === 'developer'
  if ((!isSystem && role !== 'user') || parts.length === 0) return undefined
  const author = role === 'developer' ? role : nameOf(name)
  const message: MessageInput = { role: isSystem ? 'system' : 'user', parts, ...(author && { author }) }
  return [...builder.say(message, undefined)]
}

function readResult(value: JsonObject, builder: TurnBuilder): Turn[] | undefined {
  const { tool_call_id: callId, content = null, name } = value
  if (typeof callId !== 'string') return undefined
  const called = nameOf(name)
  const result = { callId, output: content, outcome: 'ok' as const, ...(called && { name: called }) }
  return builder.result(result, undefined) === 'answered' ? [] : undefined
}

/** A message that fits nowhere is kept as it is. */
function keepWhole(value: Json, builder: TurnBuilder, { report }: Keep): Turn[] {
  const role = isObject(value) && typeof value.role === 'string' ? value.role : 'unknown'
  report.keep(`${role} message`)
  builder.note({ kind: 'openai_chat.message', data: value }, undefined)
  return []
}

async function partsOf(content: Json | undefined, keep: Keep): Promise<MessagePart[]> {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return [{ type: 'data', name: 'openai.content', data: content ?? null }]
  return Promise.all(content.map((part) => partOf(part, keep)))
}

async function partOf(value: Json, { putImage }: Keep): Promise<MessagePart> {
  if (isObject(value) && value.type === 'text' && typeof value.text === 'string') {
    const { type: _type, text, ...rest } = value
    return { type: 'text', text: String(text), ...(Object.keys(rest).length > 0 && { provider: rest }) }
  }
  const image = imageFileOf(value)
  if (!image) return { type: 'data', name: 'openai.content_part', data: value }
  return {
    type: 'image',
    ...(await putImage(image.file)),
    ...(image.provider && { provider: image.provider }),
  }
}

function callPart(value: Json): MessagePart {
  const { id, function: called, ...rest } = isObject(value) ? value : {}
  const { name, arguments: text } = isObject(called) ? called : {}
  const calledName = nameOf(name)
  const callId = nameOf(id)
  if (calledName === undefined || callId === undefined || typeof text !== 'string')
    return { type: 'data', name: 'openai.tool_call', data: value }
  const input = parsed(text)
  const isExact = input !== undefined && JSON.stringify(input) === text
  const beside = {
    ...(!isExact && { arguments: text }),
    ...((rest.type !== 'function' || Object.keys(rest).length > 1) && { call: rest }),
  }
  return {
    type: 'tool_call',
    callId,
    name: calledName,
    input: input ?? text,
    ...(Object.keys(beside).length > 0 && { provider: beside }),
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function nameOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && externalIdPattern.test(value) && value.trim() !== '' ? value : undefined
}

export function isNothing(value: Json | undefined): boolean {
  return value === null || value === undefined
}
