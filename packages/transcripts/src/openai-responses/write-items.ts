/** A message as items of the Responses API, in the order of its parts. */
import type { Json, JsonObject, Message, MessagePart } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { callItem } from './calls.ts'
import { imageFields } from './content.ts'
import { addressOf } from './data-address.ts'
import { objectOf } from './json.ts'
import { withTexts } from './references.ts'
import { resultItem } from './results.ts'
import { thoughtItem } from './thoughts.ts'

export const callIds = { fits: /^.{1,64}$/s, isUnique: true }

const formats: readonly Json[] = ['openai-responses', 'codex']

/** What stands beside its parts is of the Responses API: an API refuses what it does not know. */
export async function isOfItems(session: ExportedSession): Promise<boolean> {
  const { format = null } = objectOf((await session.view()).metadata?.source) ?? {}
  return formats.includes(format)
}

/** `isOurs`: what stands beside a text goes back with it. */
export async function itemsOf(
  message: Message,
  session: ExportedSession,
  report: LossReport,
  isOurs: boolean,
): Promise<JsonObject[]> {
  if (message.role === 'tool') return resultItems(message, session, report)
  const textType = message.role === 'assistant' ? 'output_text' : 'input_text'
  const items: JsonObject[] = []
  let content: Json[] = []
  let beside: JsonObject = {}
  const endMessage = () => {
    if (content.length > 0) items.push(messageItem(message, content, beside))
    content = []
    beside = {}
  }
  for (const part of message.parts) {
    const item = await itemOf(part, session)
    if (item) {
      endMessage()
      items.push(item)
    }
    if (item || part.type === 'tool_call') continue
    if (part.type === 'reasoning') {
      report.drop('thoughts that OpenAI did not encrypt')
      continue
    }
    const start = 'provider' in part ? objectOf(part.provider?.item) : undefined
    if (start) {
      endMessage()
      beside = start
    }
    const json = await contentOf(part, textType, session, isOurs)
    if (json === undefined) report.drop(`${part.type} parts`)
    else content.push(json)
  }
  endMessage()
  return items
}

function messageItem({ role, author }: Message, content: Json[], beside: JsonObject): JsonObject {
  const { type, ...rest } = beside
  if (type === 'agent_message') return { type, author: author ?? null, ...rest, content }
  const spoken = role === 'system' && author === 'developer' ? author : role
  return { type: 'message', role: spoken, content, ...beside }
}

async function itemOf(part: MessagePart, session: ExportedSession): Promise<JsonObject | undefined> {
  if (part.type === 'data' && /^responses\.\w+_call$/.test(part.name))
    return objectOf(await withTexts(part.data, session))
  if (part.type === 'reasoning') return thoughtItem(part)
  return part.type === 'tool_call' ? callItem(part) : undefined
}

async function resultItems(
  { parts }: Message,
  session: ExportedSession,
  report: LossReport,
): Promise<JsonObject[]> {
  const items: JsonObject[] = []
  for (const part of parts) {
    if (part.type === 'tool_result') items.push(await resultItem(part, session, report))
    else report.drop('tool messages without a result')
  }
  return items
}

async function contentOf(
  part: MessagePart,
  textType: string,
  session: ExportedSession,
  isOurs: boolean,
): Promise<Json | undefined> {
  if (part.type === 'data' && part.name === 'responses.content') return withTexts(part.data, session)
  if (part.type === 'image') return imageOf(part, session)
  if (part.type !== 'text') return undefined
  const { item: _item, ...beside } = part.provider ?? {}
  return { type: textType, text: part.text, ...(isOurs && beside) }
}

async function imageOf(
  { hash, mediaType, provider = {} }: MessagePart & { type: 'image' },
  session: ExportedSession,
): Promise<JsonObject | undefined> {
  const bytes = await session.getAttachment(hash)
  if (!bytes) return undefined
  const beside = Object.entries(provider).filter(([field]) => imageFields.includes(field))
  return { type: 'input_image', image_url: addressOf({ bytes, mediaType }), ...Object.fromEntries(beside) }
}
