/** Cuts what is larger than an event may be: the beginning stays, and the report says that there was more. */
import type { HostCommand } from '@holdfast/core'
import { type Json, limits, type MessagePart, utf8Bytes } from '@holdfast/protocol'
import type { Step } from './batch.ts'
import { unitsOf } from './commits.ts'
import type { LossReport } from './loss-report.ts'

/** Of a text that is too long. */
const shown = 64 * 1024

export function fit(step: Step, report: LossReport): HostCommand {
  const { command } = step
  step.units ??= unitsOf(command)
  // No character takes more than six bytes, as `\u0000` does.
  if (step.units * 6 <= limits.eventBytes || utf8Bytes(JSON.stringify(command)) <= limits.eventBytes - 4_096)
    return command
  report.drop('content beyond the size of an event')
  if (command.type === 'append') {
    const parts = command.message.parts.map((part) => fitPart(part as MessagePart))
    return { ...command, message: { ...command.message, parts } }
  }
  if (command.type === 'finishTool') return { ...command, output: fitJson(command.output) }
  if (command.type === 'addNote') {
    const { data, text, ...note } = command
    return {
      ...note,
      ...(text !== undefined && { text: cut(text) }),
      ...(data !== undefined && { data: fitJson(data) }),
    }
  }
  return command
}

function fitPart(part: MessagePart): MessagePart {
  if (unitsOf(part) <= shown) return part
  switch (part.type) {
    case 'text':
      return { type: 'text', text: cut(part.text) }
    case 'reasoning':
      return { type: 'reasoning', text: cut(part.text) }
    case 'tool_call':
      return { type: 'tool_call', callId: part.callId, name: part.name, input: fitJson(part.input) }
    case 'data':
      return { ...part, data: fitJson(part.data) }
    default:
      return part
  }
}

function fitJson(value: Json): Json {
  return unitsOf(value) <= shown ? value : cut(typeof value === 'string' ? value : JSON.stringify(value))
}

function cut(text: string): string {
  if (text.length <= shown) return text
  return `${text.slice(0, shown).toWellFormed()}… [${text.length - shown} more characters were in the transcript]`
}
