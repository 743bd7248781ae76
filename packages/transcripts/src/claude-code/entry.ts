/** One line of a Claude Code file, as far as the importer looks inside. Whatever it does not name stays as it is. */
import { isTime, type Json, type JsonObject } from '@holdfast/protocol'

export type Block = JsonObject & { type: string }

export interface Entry {
  type: string
  uuid: string | undefined
  parent: string | undefined
  at: string | undefined
  /** Of a sub-agent's conversation that is kept in the file of its parent. */
  sidechain: boolean
  agentId: string | undefined
  /** Put in by the program, not typed by the user. */
  meta: boolean
  /** The call that put it in, as a skill does with its instructions. */
  ofCall: string | undefined
  /** Said while the model was at work. Earlier versions give such a line no uuid. */
  queued: boolean
  /** Stands for the conversation before it; the conversation itself is in the file too. */
  compactSummary: boolean
  /** Of a session that was forked from another: said, and paid for, there. */
  copied: boolean
  message: JsonObject | undefined
  /** `msg_…`, else `req_…`: lines with the same one are one message, paid for once. */
  messageId: string | undefined
  blocks: Block[]
  raw: JsonObject
}

export function entryOf(raw: JsonObject): Entry {
  const queued = queuedIn(raw)
  const type = queued ? 'user' : (textOf(raw.type) ?? 'unknown')
  const message = queued ?? messageIn(type, raw)
  return {
    type,
    uuid: textOf(raw.uuid),
    parent: textOf(raw.parentUuid) ?? textOf(raw.logicalParentUuid),
    at: isTime(raw.timestamp) ? raw.timestamp : undefined,
    sidechain: raw.isSidechain === true,
    agentId: textOf(raw.agentId),
    meta: raw.isMeta === true || !isOfHuman(queued ? objectOf(raw.attachment) : raw),
    ofCall: raw.isMeta === true ? textOf(raw.sourceToolUseID) : undefined,
    queued: queued !== undefined,
    compactSummary: raw.isCompactSummary === true,
    copied: isCopied(raw),
    message,
    messageId: type === 'assistant' ? (textOf(message?.id) ?? textOf(raw.requestId)) : undefined,
    blocks: blocksOf(message?.content),
    raw,
  }
}

function messageIn(type: string, raw: JsonObject): JsonObject | undefined {
  return type === 'user' || type === 'assistant' ? objectOf(raw.message) : undefined
}

/** As the model was told of it: no other line holds the words. */
function queuedIn({ type, attachment }: JsonObject): JsonObject | undefined {
  const queued = type === 'attachment' ? objectOf(attachment) : undefined
  const content = queued?.prompt
  if (queued?.type !== 'queued_command' || content === undefined) return undefined
  const blocks = Array.isArray(content) ? blocksOf(content) : []
  const isSaid =
    typeof content === 'string' ? content.trim() !== '' : blocks.length > 0 && blocks.every(isOfUser)
  return isSaid ? { role: 'user', content } : undefined
}

function isOfUser({ type }: Block): boolean {
  return type === 'text' || type === 'image' || type === 'document'
}

/** What a task in the background told is said, and queued, in the same way. */
function isOfHuman({ commandMode = 'prompt', promptSource, origin }: JsonObject = {}): boolean {
  const kind = objectOf(origin)?.kind
  return kind === undefined ? commandMode === 'prompt' && promptSource !== 'system' : kind === 'human'
}

function isCopied({ forkedFrom, sessionId }: JsonObject): boolean {
  const source = textOf(objectOf(forkedFrom)?.sessionId)
  return source !== undefined && source !== sessionId
}

function blocksOf(content: Json | undefined): Block[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  if (!Array.isArray(content)) return []
  return content.filter((block): block is Block => typeof objectOf(block)?.type === 'string')
}

export function resultsOf(entry: Entry): Block[] {
  return entry.type === 'user' ? entry.blocks.filter((block) => block.type === 'tool_result') : []
}

export function callsOf(entry: Entry): Block[] {
  return entry.type === 'assistant' ? entry.blocks.filter((block) => block.type === 'tool_use') : []
}

/** The program's own words in place of an answer that never came. */
export function isSynthetic(entry: Entry | undefined): boolean {
  return entry?.message?.model === '<synthetic>'
}

export function modelOf(entry: Entry | undefined): string | undefined {
  return isSynthetic(entry) ? undefined : textOf(entry?.message?.model)
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined
}

/** Fields of a line that neither its message nor the session keeps. */
export function droppedFields({ raw, message }: Entry): string[] {
  const ofLine = Object.keys(raw).filter((field) => !keptFields.has(field) && !isWho(field, raw[field]))
  const ofMessage = Object.entries(message ?? {}).filter(
    ([field, value]) => value !== null && !keptMessageFields.has(field),
  )
  return [...ofLine, ...ofMessage.map(([field]) => `message.${field}`)]
}

/** Says who spoke, and no more than the author of the message does. */
function isWho(field: string, value: Json | undefined): boolean {
  if (field === 'origin') return speakers.has(objectOf(value)?.kind)
  return (field === 'promptSource' || field === 'turnOrigin') && speakers.has(value)
}

// biome-ignore format: a list of names
const speakers: ReadonlySet<Json | undefined> = new Set([
  'human', 'typed', 'system', 'task-notification', 'task_notification',
])

// biome-ignore format: a list of names
const keptFields: ReadonlySet<string> = new Set([
  'type', 'uuid', 'parentUuid', 'timestamp', 'message', 'isSidechain', 'isMeta', 'isApiErrorMessage', 'agentId', 'sessionId',
  'toolUseResult', 'sourceToolUseID', 'cwd', 'version', 'gitBranch', 'forkedFrom', 'attachment',
])
const keptMessageFields: ReadonlySet<string> = new Set([
  'role',
  'type',
  'id',
  'model',
  'content',
  'usage',
  'stop_reason',
])
