/** A tool's result as Claude takes it: text or blocks. */
import type { Json, Message } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { withTexts } from '../openai-responses/references.ts'
import { type Block, objectOf } from './entry.ts'

/** `isOurs`: the output stands as Claude Code had it. */
export async function resultBlock(
  { parts }: Message,
  session: ExportedSession,
  isOurs: boolean,
  report: LossReport,
): Promise<Block | undefined> {
  const [part] = parts
  if (part?.type !== 'tool_result') return void report.drop('tool messages without a result')
  const { callId, output, outcome, provider } = part
  const content = isOurs && Array.isArray(output) ? output : await contentOf(output, session, report)
  const failed = outcome === 'ok' ? {} : { is_error: true }
  return { type: 'tool_result', tool_use_id: callId, content, ...failed, ...(isOurs && provider) }
}

/** Of another format: what it holds of words and images, else all of it as JSON text. */
async function contentOf(output: Json, session: ExportedSession, report: LossReport): Promise<Json> {
  if (typeof output === 'string') return output
  const whole = await withTexts(output, session)
  const blocks = Array.isArray(whole) ? whole.map(blockOf) : []
  if (blocks.length > 0 && !blocks.includes(undefined)) return blocks as Block[]
  report.repair('tool outputs written as JSON text')
  return JSON.stringify(whole)
}

function blockOf(part: Json): Block | undefined {
  const { type, text, image_url: address } = objectOf(part) ?? {}
  if (/^(?:input_|output_)?text$/.test(String(type)) && typeof text === 'string')
    return { type: 'text', text }
  const [, media_type, data] =
    type === 'input_image' ? (/^data:([^;,]+);base64,(.+)$/s.exec(String(address)) ?? []) : []
  if (media_type === undefined || data === undefined) return undefined
  return { type: 'image', source: { type: 'base64', media_type, data } }
}
