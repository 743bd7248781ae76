/** A Claude Code file: each call must be answered directly after its message, and each line needs its parent. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { type Block, callsOf, type Entry, entryOf, objectOf, resultsOf } from '../claude-code/entry.ts'
import { noResult } from '../paired-calls.ts'
import type { Line } from '../read-lines.ts'
import { sessionIdOf } from '../session-id.ts'
import type { Source } from '../source.ts'
import type { Fault } from './fault.ts'
import { isSame, Outsized, type Piece, type SizeRules, type Visit } from './outsized.ts'
import { brokenFault, type Survey } from './survey.ts'
import { wholeLines } from './whole-lines.ts'

export async function surveyClaudeCode(source: Source): Promise<Survey> {
  const survey = new ClaudeCodeSurvey()
  for await (const line of wholeLines(source)) survey.read(line)
  survey.finish()
  return survey
}

/** Of Anthropic's Messages: images of 5 MiB as base64, which Claude Code looks at itself, and requests of 32 MB. */
const sizes: SizeRules = {
  provider: 'Anthropic',
  mostOf: { image: 5 * 1024 * 1024, document: 32_000_000, text: 32_000_000 },
  mostTogether: 32_000_000,
  visit(value, visit) {
    const message = objectOf(value.message)
    const content = message?.content
    if (!Array.isArray(content)) return value
    const inner = content.map((block) => visited(block, visit))
    return isSame(inner, content) ? value : { ...value, message: { ...message, content: inner } }
  },
  sent: ({ message, isSidechain }) => (isSidechain === true ? undefined : objectOf(message)),
  startsAnew: ({ subtype }) => subtype === 'compact_boundary',
}

/** Results and files; what people and models say stays where it is. */
function visited(value: Json, visit: Visit): Json {
  const block = objectOf(value)
  if (block?.type !== 'tool_result') return fileVisited(value, visit)
  const { content } = block
  if (typeof content === 'string') {
    const marker = visit({ kind: 'text', mediaType: 'text/plain', data: content })
    return marker === undefined ? value : { ...block, content: marker }
  }
  if (!Array.isArray(content)) return value
  const inner = content.map((part) => textVisited(fileVisited(part, visit), visit))
  return isSame(inner, content) ? value : { ...block, content: inner }
}

function textVisited(value: Json, visit: Visit): Json {
  const block = objectOf(value)
  if (block?.type !== 'text' || typeof block.text !== 'string') return value
  const marker = visit({ kind: 'text', mediaType: 'text/plain', data: block.text })
  return marker === undefined ? value : { ...block, text: marker }
}

function fileVisited(value: Json, visit: Visit): Json {
  const piece = fileIn(objectOf(value))
  const marker = piece && visit(piece)
  return marker === undefined ? value : { type: 'text', text: marker }
}

function fileIn(block: JsonObject | undefined): Piece | undefined {
  const { type, media_type: mediaType, data } = objectOf(block?.source) ?? {}
  if (type !== 'base64' || typeof data !== 'string') return undefined
  const kind = block?.type === 'image' ? 'image' : 'document'
  return { kind, data, mediaType: typeof mediaType === 'string' ? mediaType : 'application/octet-stream' }
}

interface Call {
  id: string
  line: number
  messageId: string
}

class ClaudeCodeSurvey implements Survey {
  readonly faults: Fault[] = []
  readonly outsized = new Outsized(sizes)
  lines = 0
  readonly #calls = new Map<string, Call>()
  readonly #answered = new Set<string>()
  /** Of each message its last line's uuid. */
  readonly #ends = new Map<string, string>()
  readonly #uuids = new Set<string>()
  readonly #strayResults: { callId: string; line: number }[] = []
  /** Lines whose parent is missing: the line before them is in its place, and none for the first. */
  readonly #adopted = new Map<number, string | null>()
  /** By the uuid that they come after. */
  readonly #missing = new Map<string, Call[]>()
  readonly #last: string[] = []

  read(line: Line): void {
    if (line.value === undefined && line.broken === undefined) return
    this.lines += 1
    if (line.value === undefined) this.faults.push(brokenFault(line))
    else {
      this.outsized.read(line.number, line.value)
      this.#readEntry(line.number, entryOf(line.value))
    }
  }

  #readEntry(line: number, entry: Entry): void {
    for (const { tool_use_id: id } of resultsOf(entry)) {
      if (typeof id !== 'string') continue
      if (!this.#calls.has(id)) this.#strayResults.push({ callId: id, line })
      this.#answered.add(id)
    }
    const { uuid } = entry
    if (uuid === undefined) return
    if (entry.parent !== undefined && !this.#uuids.has(entry.parent)) this.#adopt(line, entry.parent)
    const messageId = entry.messageId ?? uuid
    this.#uuids.add(uuid)
    this.#last[0] = uuid
    if (entry.type === 'assistant') this.#ends.set(messageId, uuid)
    for (const { id } of callsOf(entry))
      if (typeof id === 'string') this.#calls.set(id, { id, line, messageId })
  }

  #adopt(line: number, parent: string): void {
    this.#adopted.set(line, this.#last[0] ?? null)
    this.faults.push({
      code: 'missing_parent',
      line,
      message: `its parent ${parent} is not in the file before it`,
    })
  }

  finish(): void {
    this.faults.push(...this.outsized.faults())
    for (const call of this.#calls.values()) {
      if (this.#answered.has(call.id)) continue
      this.faults.push({ code: 'orphan_call', line: call.line, message: `call ${call.id} has no result` })
      const end = this.#ends.get(call.messageId) ?? ''
      this.#missing.set(end, [...(this.#missing.get(end) ?? []), call])
    }
    for (const { callId, line } of this.#strayResults)
      this.faults.push({
        code: 'orphan_result',
        line,
        message: `it answers call ${callId}, which is not in the file before it`,
      })
  }

  mend({ number, value }: Line): JsonObject[] {
    if (value === undefined) return []
    const mended = this.#withoutStrays(number, this.#withParent(number, value))
    const uuid = typeof mended.uuid === 'string' ? mended.uuid : ''
    const missing = this.#missing.get(uuid)
    return missing ? [mended, answerTo(mended, missing)] : [mended]
  }

  /** What came after a message without results comes after the results that it is given. */
  #withParent(number: number, value: JsonObject): JsonObject {
    const field = typeof value.parentUuid === 'string' ? 'parentUuid' : 'logicalParentUuid'
    const adopted = this.#adopted.get(number)
    const parent = adopted === undefined ? value[field] : adopted
    const named = typeof parent === 'string' && this.#missing.has(parent) ? answerId(parent) : parent
    return named === undefined || named === value[field] ? value : { ...value, [field]: named }
  }

  #withoutStrays(number: number, value: JsonObject): JsonObject {
    const strays = this.#strayResults.flatMap(({ callId, line }) => (line === number ? [callId] : []))
    const message = objectOf(value.message)
    if (strays.length === 0 || !message || !Array.isArray(message.content)) return value
    const content = message.content.map((block) => asTextIf(strays, block))
    return { ...value, message: { ...message, content } }
  }
}

/** The provider refuses a result without its call; as text it may stay. */
function asTextIf(strays: readonly string[], value: Json): Json {
  const block = objectOf(value) as Block | undefined
  if (block?.type !== 'tool_result' || !strays.includes(String(block.tool_use_id))) return value
  const { content } = block
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null)
  return {
    type: 'text',
    text: `[result of call ${String(block.tool_use_id)}, which is not in the transcript] ${text}`,
  }
}

function answerTo(line: JsonObject, calls: readonly Call[]): JsonObject {
  const { message: _message, requestId: _requestId, uuid, ...common } = line
  const content = calls.map(({ id }) => {
    return { type: 'tool_result', tool_use_id: id, content: noResult, is_error: true }
  })
  const message = { role: 'user', content }
  return { ...common, parentUuid: String(uuid), type: 'user', message, uuid: answerId(String(uuid)) }
}

function answerId(uuid: string): string {
  return sessionIdOf('rescue', 'claude-code', uuid)
}
