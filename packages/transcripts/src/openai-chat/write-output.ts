/** What a tool gave, as a chat takes it: text, or parts that are texts. */
import type { Json, JsonObject } from '@holdfast/protocol'
import type { LossReport } from '../loss-report.ts'
import { withoutReferences } from '../openai-responses/references.ts'
import { isObject } from './session.ts'
import { shortest } from './shortest.ts'

const texts = ['text', 'input_text', 'output_text']
const files = ['image', 'image_url', 'input_image', 'document', 'input_file']

export function outputOf(output: Json, report: LossReport): Json {
  if (typeof output === 'string') return output
  if (isContent(output)) return textsOf(output, report)
  const { value, references } = withoutReferences(output)
  if (references > 0) report.drop(leftFiles, references)
  return asJson(value, report)
}

const leftFiles = 'files in tool outputs'

function asJson(value: Json, report: LossReport): string {
  report.repair('tool outputs written as JSON text')
  return JSON.stringify(value)
}

/** A list of content parts, as any provider has them; a tool may give a list of something else. */
function isContent(output: Json): output is JsonObject[] {
  return Array.isArray(output) && output.every((part) => isObject(part) && (isText(part) || isFile(part)))
}

function isText({ type, text }: JsonObject): boolean {
  return texts.includes(String(type)) && typeof text === 'string'
}

function isFile({ type }: JsonObject): boolean {
  return files.includes(String(type))
}

function textsOf(content: readonly JsonObject[], report: LossReport): Json {
  const left = content.filter(isText).map(({ text = '' }): JsonObject => ({ type: 'text', text }))
  if (left.length < content.length) report.drop(leftFiles, content.length - left.length)
  if (left.length > 0) return shortest(left)
  return content.length === 0 ? '' : asJson(content.map(onlyType), report)
}

/** A model is told that there was a file: an empty result would say that the tool gave nothing. */
function onlyType({ type = null }: JsonObject): JsonObject {
  return { type }
}
