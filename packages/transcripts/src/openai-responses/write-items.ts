/** A message as items of the Responses API, in the order of its parts. */
import type { Json, JsonObject, Message, MessagePart } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { objectOf } from './items.ts'

export const callIds = { fits: /^.{1,64}$/s, isUnique: true }

export async function itemsOf(
  message: Message,
  session: ExportedSession,
  report: LossReport,
): Promise<JsonObject[]> {
  if (message.role === 'tool') return message.parts.flatMap((part) => outputItem(part, report))
  const role = message.role === 'system' && message.author === 'developer' ? message.author : message.role
  const items: JsonObject[] = []
  let content: Json[] = []
  let beside: JsonObject = {}
  const endMessage = () => {
    if (content.length > 0) items.push({ type: 'message', role, content, ...beside })
    content = []
    beside = {}
  }
  for (const part of message.parts) {
    const item = itemOf(part)
    if (item) {
      endMessage()
      items.push(item)
    }
    if (item || part.type === 'tool_call') continue
    if (part.type === 'reasoning') {
      report.drop('thoughts that OpenAI did not encrypt')
      continue
    }
    const { item: start, ...provider } = ('provider' in part && part.provider) || {}
    if (objectOf(start)) {
      endMessage()
      beside = objectOf(start) ?? {}
    }
    const json = await contentOf(part, provider, role === 'assistant' ? 'output_text' : 'input_text', session)
    if (json === undefined) report.drop(`${part.type} parts`)
    else content.push(json)
  }
  endMessage()
  return items
}

function itemOf(part: MessagePart): JsonObject | undefined {
  if (part.type === 'data' && /^responses\.\w+_call$/.test(part.name)) return objectOf(part.data)
  if (part.type === 'reasoning') return reasoningItem(part)
  return part.type === 'tool_call' ? callItem(part) : undefined
}

/** Undefined for thoughts of another provider: OpenAI takes only what it encrypted itself. */
function reasoningItem({ text, encrypted, provider }: MessagePart & { type: 'reasoning' }) {
  const item = objectOf(provider?.item)
  const sealed = item ? encrypted : objectOf(provider?.openai)?.reasoningEncryptedContent
  if (!item && typeof sealed !== 'string') return undefined
  const summary = text === '' ? [] : [{ type: 'summary_text', text }]
  return {
    type: 'reasoning',
    ...(item ?? { summary }),
    ...(typeof sealed === 'string' && { encrypted_content: sealed }),
  }
}

function callItem({ callId, name, input, provider }: MessagePart & { type: 'tool_call' }): JsonObject {
  const { type = 'function_call', ...rest } = objectOf(provider?.item) ?? {}
  if (type === 'custom_tool_call') return { type, ...rest, call_id: callId, name, input }
  if (type === 'local_shell_call') return { type, ...rest, call_id: callId, action: input }
  const exact = provider?.arguments
  const text = typeof exact === 'string' ? exact : JSON.stringify(input)
  return { type, ...rest, name, arguments: text, call_id: callId }
}

function outputItem(part: MessagePart, report: LossReport): JsonObject[] {
  if (part.type !== 'tool_result') {
    report.drop('tool messages without a result')
    return []
  }
  const { type = 'function_call_output', ...rest } = objectOf(part.provider?.item) ?? {}
  const isText = typeof part.output === 'string' || Array.isArray(part.output)
  const output = isText || part.provider?.item !== undefined ? part.output : JSON.stringify(part.output)
  if (output !== part.output) report.repair('tool outputs written as JSON text')
  return [{ type, ...rest, call_id: part.callId, output }]
}

async function contentOf(
  part: MessagePart,
  provider: JsonObject,
  textType: string,
  session: ExportedSession,
): Promise<Json | undefined> {
  if (part.type === 'text') return { type: textType, text: part.text, ...provider }
  if (part.type === 'data' && part.name === 'responses.content') return part.data
  if (part.type !== 'image') return undefined
  const bytes = await session.getAttachment(part.hash)
  if (!bytes) return undefined
  const url = `data:${part.mediaType};base64,${Buffer.from(bytes).toString('base64')}`
  return { type: 'input_image', image_url: url }
}
