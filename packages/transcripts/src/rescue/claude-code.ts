/** A Claude Code file: each call must be answered directly after its message, and each line needs its parent. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { type Block, callsOf, type Entry, entryOf, objectOf, resultsOf } from '../claude-code/entry.ts'
import type { Line } from '../read-lines.ts'
import { sessionIdOf } from '../session-id.ts'
import type { Source } from '../source.ts'
import { brokenFault, type Fault, noResult, type Survey, sizeFaults } from './survey.ts'

export async function surveyClaudeCode(source: Source): Promise<Survey> {
  const survey = new ClaudeCodeSurvey(source.size)
  for await (const line of source.lines()) survey.read(line)
  survey.finish()
  return survey
}

interface Call {
  id: string
  line: number
  messageId: string
}

class ClaudeCodeSurvey implements Survey {
  readonly faults: Fault[]
  lines = 0
  readonly #calls = new Map<string, Call>()
  readonly #answered = new Set<string>()
  /** Of each message its last line's uuid. */
  readonly #ends = new Map<string, string>()
  readonly #uuids = new Set<string>()
  readonly #strayResults: { callId: string; line: number }[] = []
  /** Lines whose parent is missing: the line before them is in its place. */
  readonly #adopted = new Map<number, string>()
  /** By the uuid that they come after. */
  readonly #missing = new Map<string, Call[]>()
  readonly #last: string[] = []

  constructor(bytes: number) {
    this.faults = sizeFaults(bytes)
  }

  read(line: Line): void {
    if (line.value === undefined && line.broken === undefined) return
    this.lines += 1
    if (line.value === undefined) this.faults.push(brokenFault(line))
    else this.#readEntry(line.number, entryOf(line.value))
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
    const [before] = this.#last
    if (before !== undefined) this.#adopted.set(line, before)
    this.faults.push({
      code: 'missing_parent',
      line,
      message: `its parent ${parent} is not in the file before it`,
    })
  }

  finish(): void {
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
    const parent = this.#adopted.get(number) ?? value.parentUuid
    if (typeof parent !== 'string') return value
    const parentUuid = this.#missing.has(parent) ? answerId(parent) : parent
    return parentUuid === value.parentUuid ? value : { ...value, parentUuid }
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
