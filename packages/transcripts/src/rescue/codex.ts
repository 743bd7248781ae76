/** A Codex rollout: each call needs its output somewhere after it. */
import type { JsonObject } from '@holdfast/protocol'
import { objectOf } from '../openai-responses/items.ts'
import type { Line } from '../read-lines.ts'
import type { Source } from '../source.ts'
import { brokenFault, type Fault, noResult, type Survey, sizeFaults } from './survey.ts'

export async function surveyCodex(source: Source): Promise<Survey> {
  const survey = new CodexSurvey(source.size)
  for await (const line of source.lines()) survey.read(line)
  survey.finish()
  return survey
}

class CodexSurvey implements Survey {
  readonly faults: Fault[]
  lines = 0
  readonly #calls = new Map<string, number>()
  readonly #answered = new Set<string>()
  readonly #strays = new Set<number>()

  constructor(bytes: number) {
    this.faults = sizeFaults(bytes)
  }

  read(line: Line): void {
    if (line.value === undefined && line.broken === undefined) return
    this.lines += 1
    if (line.value === undefined) this.faults.push(brokenFault(line))
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
