/** One item of the Responses API into the turn that is being built; Codex keeps the same items. */
import type { JsonObject, MessageInput, MessagePart } from '@holdfast/protocol'
import type { Turn } from '../batch.ts'
import type { LossReport } from '../loss-report.ts'
import type { TurnBuilder } from '../turn-builder.ts'
import { callPartOf } from './calls.ts'
import { contentParts } from './content.ts'
import { isName } from './json.ts'
import { type PutImage, withReferences } from './references.ts'
import { isResult, resultOf } from './results.ts'
import { thoughtOf } from './thoughts.ts'

export { isName, objectOf, parsed } from './json.ts'

export interface ItemContext {
  builder: TurnBuilder
  report: LossReport
  /** Kind of the note that keeps an item which is no part of a conversation. */
  noteKind: string
  putImage: PutImage
}

export interface ReadItem {
  turns: Iterable<Turn>
  fate: 'carried' | 'opaque'
  /** It is part of what a model answered. */
  isAnswer?: true
}

const carried: ReadItem = { turns: [], fate: 'carried' }
const answered: ReadItem = { ...carried, isAnswer: true }

export async function readItem(
  item: JsonObject,
  at: string | undefined,
  context: ItemContext,
): Promise<ReadItem> {
  const { builder } = context
  const type = typeOf(item)
  if (type === 'message') return readMessage(item, at, context)
  if (type === 'agent_message') return readAgentMessage(item, at, context)
  const part = await partOf(item, context)
  if (part) {
    builder.reply([part], at)
    return answered
  }
  return isResult(item) ? readResult(item, at, context) : keep(item, at, context)
}

function typeOf({ type, role }: JsonObject) {
  return type ?? (role === undefined ? undefined : 'message')
}

/** Words of a user, or of another agent in that role: what was said before is answered no more. */
export function isPrompt(item: JsonObject): boolean {
  const type = typeOf(item)
  return (type === 'message' && item.role === 'user') || type === 'agent_message'
}

async function readMessage(
  item: JsonObject,
  at: string | undefined,
  context: ItemContext,
): Promise<ReadItem> {
  const { role, content, type: _type, ...rest } = item
  const parts = await contentParts(content, context.putImage)
  if (parts.length === 0) return keep(item, at, context)
  if (role === 'assistant') {
    context.builder.reply(startOfItem(parts, rest), at)
    return answered
  }
  for (const field of Object.keys(rest)) context.report.drop(`item.${field}`)
  if (role === 'user') return say({ role, parts }, at, context)
  if (role !== 'system' && role !== 'developer') return keep(item, at, context)
  return say({ role: 'system', parts, ...(role === 'developer' && { author: role }) }, at, context)
}

/** What agents say to each other. What only their provider can read is kept whole. */
async function readAgentMessage(
  item: JsonObject,
  at: string | undefined,
  context: ItemContext,
): Promise<ReadItem> {
  const { author, content, ...rest } = item
  const parts = await contentParts(content, context.putImage)
  const [first] = parts
  if (!first || first.type === 'data' || !isName(author)) return keep(item, at, context)
  return say({ role: 'user', author, parts: startOfItem(parts, rest) }, at, context)
}

function say(message: MessageInput, at: string | undefined, { builder }: ItemContext): ReadItem {
  return { turns: [...builder.say(message, at)], fate: 'carried' }
}

/** The first part of an item says so: several items make one message. */
function startOfItem([first, ...others]: readonly MessagePart[], rest: JsonObject): MessagePart[] {
  return [withItem(first as MessagePart, rest), ...others]
}

function withItem(part: MessagePart, rest: JsonObject): MessagePart {
  if (part.type === 'data') return part
  return { ...part, provider: { ...part.provider, item: rest } }
}

/** What an assistant did beside speaking. */
async function partOf(item: JsonObject, { putImage }: ItemContext): Promise<MessagePart | undefined> {
  switch (item.type) {
    case 'reasoning':
      return thoughtOf(item)
    case 'web_search_call':
    case 'file_search_call':
    case 'image_generation_call':
    case 'code_interpreter_call':
    case 'mcp_call': {
      const data = await withReferences(item, putImage)
      return { type: 'data', name: `responses.${item.type}`, data }
    }
    default:
      return callPartOf(item)
  }
}

async function readResult(item: JsonObject, at: string | undefined, context: ItemContext): Promise<ReadItem> {
  const result = await resultOf(item, context.putImage)
  if (!result) return keep(item, at, context)
  const fit = context.builder.result(result, at)
  if (fit === 'answered') return carried
  return keep(item, at, context, fit === 'again' ? 'second result of a call' : 'orphan result')
}

function keep(
  item: JsonObject,
  at: string | undefined,
  { builder, report, noteKind }: ItemContext,
  what = `${[item.type, item.object].find((kind) => typeof kind === 'string') ?? 'unknown'} item`,
): ReadItem {
  report.keep(what)
  builder.note({ kind: noteKind, data: item }, at)
  return { turns: [], fate: 'opaque' }
}
