/** A message as the chat format has it. */
import type { Json, JsonObject, Message, MessagePart } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { addressOf } from '../openai-responses/data-address.ts'
import { isObject } from './session.ts'
import { shortest } from './shortest.ts'
import { outputOf } from './write-output.ts'

export interface Writing {
  session: ExportedSession
  /** What stands beside the parts is a chat's own and goes back as it came: an API refuses what it does not know. */
  isOurs: boolean
  report: LossReport
}

/** Undefined: nothing of it has a place. */
export async function chatMessage(message: Message, writing: Writing): Promise<JsonObject | undefined> {
  if (message.role === 'tool') return toolMessage(message, writing)
  const { calls, spoken, thoughts } = sorted(message.parts)
  const content = await contentOf(spoken, writing)
  if (message.role === 'assistant') {
    const reasoning = thoughts.map(({ text }) => text).join('')
    if (content === undefined && calls.length === 0 && reasoning === '') return undefined
    return {
      role: 'assistant',
      content: content ?? null,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  }
  if (content === undefined) return undefined
  const { role, author } = message
  if (role === 'system') return { role: author === 'developer' ? author : role, content }
  return { role, content, ...nameOf(author, writing) }
}

const takenAsName = /^[^\s<|\\/>]{1,64}$/

function nameOf(author: string | undefined, { isOurs, report }: Writing): JsonObject {
  if (author === undefined) return {}
  if (isOurs || takenAsName.test(author)) return { name: author }
  report.drop('authors whose names OpenAI does not take')
  return {}
}

function toolMessage({ parts }: Message, { isOurs, report }: Writing): JsonObject | undefined {
  const [part] = parts
  if (part?.type !== 'tool_result') {
    report.drop('tool messages without a result')
    return undefined
  }
  const { callId, output } = part
  const isAsItWas = isOurs && (Array.isArray(output) || output === null)
  return { role: 'tool', tool_call_id: callId, content: isAsItWas ? output : outputOf(output, report) }
}

function sorted(parts: readonly MessagePart[]) {
  const calls: Json[] = []
  const spoken: MessagePart[] = []
  const thoughts: (MessagePart & { type: 'reasoning' })[] = []
  for (const part of parts) {
    if (part.type === 'tool_call') calls.push(callOf(part))
    else if (part.type === 'data' && part.name === 'openai.tool_call') calls.push(part.data)
    else if (part.type === 'reasoning') thoughts.push(part)
    else spoken.push(part)
  }
  return { calls, spoken, thoughts }
}

function callOf({ callId, name, input, provider }: MessagePart & { type: 'tool_call' }): JsonObject {
  const { arguments: exact, call } = provider ?? {}
  const text = typeof exact === 'string' ? exact : JSON.stringify(input)
  const rest = isObject(call) ? call : { type: 'function' }
  return { id: callId, ...rest, function: { name, arguments: text } }
}

async function contentOf(parts: readonly MessagePart[], writing: Writing): Promise<Json | undefined> {
  const [first, ...rest] = parts
  if (rest.length === 0 && first?.type === 'data' && first.name === 'openai.content') return first.data
  const written: Json[] = []
  for (const part of parts) {
    const json = await contentPart(part, writing)
    if (json === undefined) writing.report.drop(`${part.type} parts`)
    else written.push(json)
  }
  return written.length === 0 ? undefined : shortest(written)
}

async function contentPart(part: MessagePart, { session, isOurs }: Writing): Promise<Json | undefined> {
  if (part.type === 'text') return { type: 'text', text: part.text, ...(isOurs && part.provider) }
  if (part.type === 'data' && part.name === 'openai.content_part') return part.data
  if (part.type !== 'image') return undefined
  const bytes = await session.getAttachment(part.hash)
  if (!bytes) return undefined
  const url = addressOf({ bytes, mediaType: part.mediaType })
  return { type: 'image_url', image_url: { url, ...(isOurs ? part.provider : detailIn(part.provider)) } }
}

const details: readonly Json[] = ['auto', 'low', 'high']

/** How closely a model looks is the same word for all of OpenAI's formats. */
function detailIn(provider: JsonObject | undefined): JsonObject {
  const { detail } = provider ?? {}
  return detail !== undefined && details.includes(detail) ? { detail } : {}
}
