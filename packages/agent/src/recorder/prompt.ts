/**
 * What is new in a prompt. A loop sends its whole history with every call: what came after the last message of the
 * assistant was not recorded yet, and of that, user messages that still wait for an answer were.
 */
import { createHash } from 'node:crypto'
import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolResultPart,
} from '@ai-sdk/provider'
import type { HostCommand, NewMessage } from '@holdfast/core'
import type { Message, MessagePart } from '@holdfast/protocol'
import { sealOf, storable } from './content.ts'
import { type Attach, filePartOf } from './files.ts'
import type { RecordedResult } from './recorded-run.ts'

export type UserMessage = Extract<LanguageModelV4Message, { role: 'user' }>
type AssistantPart = Extract<LanguageModelV4Message, { role: 'assistant' }>['content'][number]

export interface Tail {
  /** Everything up to the last message of the assistant. */
  before: LanguageModelV4Prompt
  users: UserMessage[]
  results: RecordedResult[]
}

export function tailOf(prompt: LanguageModelV4Prompt): Tail {
  const end = prompt.findLastIndex(({ role }) => role === 'assistant') + 1
  const tail = prompt.slice(end)
  return {
    before: prompt.slice(0, end),
    users: tail.filter((message) => message.role === 'user' && message.content.length > 0) as UserMessage[],
    results: tail.flatMap(resultsIn),
  }
}

function resultsIn(message: LanguageModelV4Message): RecordedResult[] {
  if (message.role !== 'tool') return []
  return message.content.flatMap((part) => (part.type === 'tool-result' ? [resultOf(part)] : []))
}

function resultOf({ toolCallId: callId, output }: LanguageModelV4ToolResultPart): RecordedResult {
  switch (output.type) {
    case 'text':
      return { callId, output: output.value.toWellFormed(), outcome: 'ok' }
    case 'error-text':
      return { callId, output: output.value.toWellFormed(), outcome: 'error' }
    case 'execution-denied':
      return { callId, output: output.reason ?? 'denied', outcome: 'denied' }
    default:
      return {
        callId,
        output: storable(output.value),
        outcome: output.type === 'error-json' ? 'error' : 'ok',
      }
  }
}

export async function inputOf({ content }: UserMessage, attach: Attach): Promise<NewMessage> {
  const parts: MessagePart[] = []
  for (const part of content)
    parts.push(part.type === 'text' ? textPart(part.text) : await filePartOf(part, attach))
  return { role: 'user', parts }
}

/** An earlier history, for a session that has none. */
export async function historyOf(before: LanguageModelV4Prompt, attach: Attach): Promise<HostCommand[]> {
  const commands: HostCommand[] = []
  for (const message of before) {
    if (message.role === 'user' && message.content.length > 0)
      commands.push({ type: 'append', message: await inputOf(message, attach) })
    if (message.role === 'tool')
      commands.push(...resultsIn(message).map((result): HostCommand => ({ type: 'finishTool', ...result })))
    if (message.role === 'assistant') commands.push(...(await assistantCommands(message.content, attach)))
  }
  return commands
}

async function assistantCommands(content: readonly AssistantPart[], attach: Attach): Promise<HostCommand[]> {
  const parts: MessagePart[] = []
  const results: HostCommand[] = []
  for (const part of content) {
    if (part.type === 'tool-result') results.push({ type: 'finishTool', ...resultOf(part) })
    else parts.push(await assistantPart(part, attach))
  }
  return parts.length === 0
    ? results
    : [{ type: 'append', message: { role: 'assistant', parts } }, ...results]
}

async function assistantPart(
  part: Exclude<AssistantPart, { type: 'tool-result' }>,
  attach: Attach,
): Promise<MessagePart> {
  switch (part.type) {
    case 'text':
      return textPart(part.text)
    case 'reasoning':
      return { type: 'reasoning', text: part.text.toWellFormed(), ...sealOf(part.providerOptions) }
    case 'tool-call':
      return { type: 'tool_call', callId: part.toolCallId, name: part.toolName, input: storable(part.input) }
    case 'file':
    case 'reasoning-file':
      return filePartOf(part, attach)
    default:
      return { type: 'data', name: part.type, data: storable(part) }
  }
}

function textPart(text: string): MessagePart {
  return { type: 'text', text: text.toWellFormed() }
}

/** What a user message says, to know it again: as it is sent, and as it was stored. */
export function gistOf({ content }: UserMessage): string {
  return content.map((part) => (part.type === 'text' ? part.text.toWellFormed() : fileGist(part))).join('\n')
}

export function storedGist({ parts }: Pick<Message, 'parts'>): string {
  const gists = parts.map((part) => {
    if (part.type === 'text') return part.text
    if (part.type === 'file' || part.type === 'image') return part.hash
    return part.type === 'data' ? JSON.stringify(part.data) : part.type
  })
  return gists.join('\n')
}

function fileGist({
  data,
  mediaType,
  filename,
}: Exclude<UserMessage['content'][number], { type: 'text' }>): string {
  const name = filename === undefined ? {} : { name: filename }
  if (data.type === 'text') return data.text.toWellFormed()
  if (data.type === 'url') return JSON.stringify({ url: String(data.url), mediaType, ...name })
  if (data.type === 'reference') return JSON.stringify({ reference: data.reference, mediaType, ...name })
  const bytes = typeof data.data === 'string' ? Buffer.from(data.data, 'base64') : data.data
  return createHash('sha256').update(bytes).digest('hex')
}
