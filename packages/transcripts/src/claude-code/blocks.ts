/** Message parts as Claude's content blocks, the way back of `parts.ts`. */
import type { JsonObject, Message, MessagePart } from '@holdfast/protocol'
import type { ExportedSession } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { type Block, objectOf, textOf } from './entry.ts'

/** `isOurs`: what stands beside the parts is Claude's own and goes back as it came. */
export async function contentOf(
  { parts }: Message,
  session: ExportedSession,
  isOurs: boolean,
  report: LossReport,
): Promise<Block[]> {
  const blocks: Block[] = []
  for (const part of parts) {
    const block = await blockOf(part, session, isOurs, report)
    if (block) blocks.push(block)
  }
  return blocks
}

async function blockOf(
  part: MessagePart,
  session: ExportedSession,
  isOurs: boolean,
  report: LossReport,
): Promise<Block | undefined> {
  const beside = isOurs && 'provider' in part ? part.provider : undefined
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...beside }
    case 'reasoning':
      return isOurs ? thoughtOf(part, part, report) : thoughtOf(part, ofAnthropic(part), report)
    case 'tool_call':
      return { type: 'tool_use', id: part.callId, name: part.name, input: inputOf(part, report), ...beside }
    case 'image':
    case 'file':
      return fileBlock(part, session, report)
    case 'data':
      if (part.name.startsWith('claude_code.')) return objectOf(part.data) as Block
      return part.name.startsWith('provider_')
        ? dropped(report, 'what a provider sent beside its answers')
        : asText(part, report)
    case 'tool_result':
      return dropped(report, 'results outside their message')
  }
}

/** Claude's seal on its thoughts; without one they may not be sent again. */
interface Seal {
  signature?: string | undefined
  encrypted?: string | undefined
  provider?: JsonObject | undefined
}

function thoughtOf(
  { text }: MessagePart & { type: 'reasoning' },
  { signature, encrypted, provider }: Seal,
  report: LossReport,
): Block | undefined {
  if (encrypted !== undefined) return { type: 'redacted_thinking', data: encrypted, ...provider }
  if (signature !== undefined) return { type: 'thinking', thinking: text, signature, ...provider }
  return dropped(report, 'thoughts that Claude did not sign')
}

/** As Anthropic sent it to an agent of ours. */
function ofAnthropic({ provider }: MessagePart & { type: 'reasoning' }): Seal {
  const { signature, redactedData } = objectOf(provider?.anthropic) ?? {}
  return { signature: textOf(signature), encrypted: textOf(redactedData) }
}

function inputOf({ input }: MessagePart & { type: 'tool_call' }, report: LossReport): JsonObject {
  const object = objectOf(input)
  if (!object) report.repair('tool inputs that are no object, put into one')
  return object ?? { input }
}

function asText({ name, data }: MessagePart & { type: 'data' }, report: LossReport): Block {
  report.repair('data written as text')
  return { type: 'text', text: `${name}: ${JSON.stringify(data)}` }
}

async function fileBlock(
  part: MessagePart & { type: 'image' | 'file' },
  session: ExportedSession,
  report: LossReport,
): Promise<Block | undefined> {
  const bytes = await session.getAttachment(part.hash)
  if (!bytes) return dropped(report, 'files whose bytes are gone')
  const { source, ...rest } = part.provider ?? {}
  const about = objectOf(source) ?? { type: 'base64', media_type: part.mediaType }
  const data = Buffer.from(bytes).toString('base64')
  return {
    type: part.type === 'image' ? 'image' : 'document',
    source: { ...about, data },
    ...(source !== undefined && rest),
  }
}

function dropped(report: LossReport, what: string): undefined {
  report.drop(what)
}
