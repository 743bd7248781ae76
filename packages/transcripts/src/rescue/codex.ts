/** A Codex rollout: each call needs its output somewhere after it. */
import type { Json, JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import { noResult } from '../paired-calls.ts'
import type { Line } from '../read-lines.ts'
import type { Source } from '../source.ts'
import type { Fault } from './fault.ts'
import { isSame, Outsized, type SizeRules, type Visit } from './outsized.ts'
import { brokenFault, type Survey } from './survey.ts'
import { wholeLines } from './whole-lines.ts'

export async function surveyCodex(source: Source): Promise<Survey> {
  const survey = new CodexSurvey()
  for await (const line of wholeLines(source)) survey.read(line)
  survey.finish()
  return survey
}

/** Of OpenAI's Responses: texts of 10 MiB, and requests of 50 MB. */
const sizes: SizeRules = {
  provider: 'OpenAI',
  mostOf: { image: 50_000_000, document: 50_000_000, text: 10 * 1024 * 1024 },
  mostTogether: 50_000_000,
  visit(value, visit) {
    const payload = objectOf(value.payload)
    if (value.type !== 'response_item' || !payload) return value
    const field = isOutput(value) ? 'output' : 'content'
    const content = payload[field]
    const inner = contentVisited(content, field === 'output', visit)
    return inner === content ? value : { ...value, payload: { ...payload, [field]: inner } }
  },
  sent: ({ type, payload }) => (type === 'response_item' ? objectOf(payload) : undefined),
  startsAnew: ({ type }) => type === 'compacted',
}

function contentVisited(content: Json | undefined, isOutput: boolean, visit: Visit): Json {
  if (typeof content === 'string' && isOutput)
    return visit({ kind: 'text', mediaType: 'text/plain', data: content }) ?? content
  if (!Array.isArray(content)) return content ?? null
  const inner = content.map((part) => partVisited(part, isOutput, visit))
  return isSame(inner, content) ? content : inner
}

const dataAddress = /^data:([^;,]+);base64,/

function partVisited(value: Json, isOutput: boolean, visit: Visit): Json {
  const { image_url: url, text } = objectOf(value) ?? {}
  const [start, mediaType] = (typeof url === 'string' && dataAddress.exec(url)) || []
  const marker =
    typeof url === 'string' && start !== undefined && mediaType !== undefined
      ? visit({ kind: 'image', mediaType, data: url.slice(start.length) })
      : typeof text === 'string' && isOutput
        ? visit({ kind: 'text', mediaType: 'text/plain', data: text })
        : undefined
  return marker === undefined ? value : { type: 'input_text', text: marker }
}

class CodexSurvey implements Survey {
  readonly faults: Fault[] = []
  readonly outsized = new Outsized(sizes)
  lines = 0
  readonly #calls = new Map<string, number>()
  readonly #answered = new Set<string>()
  readonly #strays = new Set<number>()

  read(line: Line): void {
    if (line.value === undefined && line.broken === undefined) return
    this.lines += 1
    if (line.value === undefined) this.faults.push(brokenFault(line))
    else this.outsized.read(line.number, line.value)
    const callId = callIdOf(line.value)
    if (callId === undefined) return
    if (!isOutput(line.value)) this.#calls.set(callId, line.number)
    else if (this.#calls.has(callId)) this.#answered.add(callId)
    else {
      this.#strays.add(line.number)
      const message = `it answers call ${callId}, which is not in the file before it`
      this.faults.push({ code: 'orphan_result', line: line.number, message })
    }
  }

  finish(): void {
    this.faults.push(...this.outsized.faults())
    for (const [callId, line] of this.#calls) {
      if (this.#answered.has(callId)) continue
      this.faults.push({ code: 'orphan_call', line, message: `call ${callId} has no output` })
    }
  }

  mend({ number, value }: Line): JsonObject[] {
    if (value === undefined || this.#strays.has(number)) return []
    const callId = callIdOf(value)
    const isOpen = callId !== undefined && this.#calls.get(callId) === number && !this.#answered.has(callId)
    return isOpen ? [value, outputFor(value, callId)] : [value]
  }
}

function outputFor(value: JsonObject, callId: string): JsonObject {
  const isCustom = objectOf(value.payload)?.type === 'custom_tool_call'
  const type = isCustom ? 'custom_tool_call_output' : 'function_call_output'
  return {
    timestamp: value.timestamp ?? null,
    type: 'response_item',
    payload: { type, call_id: callId, output: noResult },
  }
}

function callIdOf(value: JsonObject | undefined): string | undefined {
  const callId = value?.type === 'response_item' ? objectOf(value.payload)?.call_id : undefined
  return typeof callId === 'string' ? callId : undefined
}

function isOutput(value: JsonObject | undefined): boolean {
  const type = objectOf(value?.payload)?.type
  return typeof type === 'string' && type.endsWith('_output')
}
