/** Writes a session as one OpenAI chat conversation: `{"messages": […]}`, as a chat completion takes them. */
import type { Json, JsonObject, Message, MessagePart } from '@holdfast/protocol'
import type { ExportedSession, Sink } from '../contract.ts'
import type { LossReport } from '../loss-report.ts'
import { pairedMessages } from '../paired-calls.ts'

/** An id may come again in another round. */
const callIds = { fits: /^.{1,40}$/s, isUnique: false }

export async function writeOpenaiChat(
  session: ExportedSession,
  sink: Sink,
  report: LossReport,
): Promise<void> {
  const { model } = await session.view()
  const head = model === undefined ? '{' : `{"model":${JSON.stringify(model)},`
  await sink.write(`${head}"messages":[`)
  let isFirst = true
  for await (const message of pairedMessages(session, callIds, report)) {
    const written = await chatMessage(message, session, report)
    report.line(written ? 'carried' : 'dropped')
    if (!written) continue
    await sink.write(`${isFirst ? '\n' : ',\n'}${JSON.stringify(written)}`)
    isFirst = false
  }
  await sink.write('\n]}\n')
}

async function chatMessage(
  message: Message,
  session: ExportedSession,
  report: LossReport,
): Promise<JsonObject | undefined> {
  if (message.role === 'tool') return toolMessage(message, report)
  const { calls, spoken, thoughts } = sorted(message.parts)
  const content = await contentOf(spoken, session, report)
  if (message.role === 'assistant') {
    const reasoning = thoughts.map(({ text }) => text).join('')
    return {
      role: 'assistant',
      content: spoken.length === 0 ? null : content,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    }
  }
  const { role, author } = message
  if (role === 'system') return { role: author === 'developer' ? author : role, content }
  return { role, content, ...(author !== undefined && { name: author }) }
}

function toolMessage({ parts }: Message, report: LossReport): JsonObject | undefined {
  const [part] = parts
  if (part?.type !== 'tool_result') return dropped(report, 'tool messages without a result')
  const isText = typeof part.output === 'string' || Array.isArray(part.output) || part.output === null
  if (!isText) report.repair('tool outputs written as JSON text')
  return {
    role: 'tool',
    tool_call_id: part.callId,
    content: isText ? part.output : JSON.stringify(part.output),
  }
}

function sorted(parts: readonly MessagePart[]) {
  const calls: Json[] = []
  const spoken: MessagePart[] = []
  const thoughts: (MessagePart & { type: 'reasoning' })[] = []
  for (const part of parts) {
    if (part.type === 'tool_call') calls.push(callOf(part))
    else if (part.type === 'data' && part.name === 'openai.tool_call') calls.push(part.data)
    else if (part.type === 'reasoning') thoughts.push(part)
    else spoken.push(part)
  }
  return { calls, spoken, thoughts }
}

function callOf({ callId, name, input, provider }: MessagePart & { type: 'tool_call' }): JsonObject {
  const { arguments: exact, call } = provider ?? {}
  const text = typeof exact === 'string' ? exact : JSON.stringify(input)
  const rest = typeof call === 'object' && call !== null && !Array.isArray(call) ? call : { type: 'function' }
  return { id: callId, ...rest, function: { name, arguments: text } }
}

/** One plain text is a text, as most programs write it; everything else a list of parts. */
async function contentOf(
  parts: readonly MessagePart[],
  session: ExportedSession,
  report: LossReport,
): Promise<Json> {
  const [first, ...rest] = parts
  if (rest.length === 0 && first?.type === 'text' && !first.provider) return first.text
  if (rest.length === 0 && first?.type === 'data' && first.name === 'openai.content') return first.data
  const written: Json[] = []
  for (const part of parts) {
    const json = await contentPart(part, session)
    if (json === undefined) report.drop(`${part.type} parts`)
    else written.push(json)
  }
  return written
}

async function contentPart(part: MessagePart, session: ExportedSession): Promise<Json | undefined> {
  if (part.type === 'text') return { type: 'text', text: part.text, ...part.provider }
  if (part.type === 'data' && part.name === 'openai.content_part') return part.data
  if (part.type !== 'image') return undefined
  const bytes = await session.getAttachment(part.hash)
  if (!bytes) return undefined
  const url = `data:${part.mediaType};base64,${Buffer.from(bytes).toString('base64')}`
  return { type: 'image_url', image_url: { url, ...part.provider } }
}

function dropped(report: LossReport, what: string): undefined {
  report.drop(what)
}
