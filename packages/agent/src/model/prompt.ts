/** The provider view as the prompt of a model call. What a provider sent beside a part goes back with it as it came. */
import type { LanguageModelV4Message, LanguageModelV4Prompt } from '@ai-sdk/provider'
import type { ProviderMessage } from '@holdfast/core'
import type { Json, JsonObject, MessagePart } from '@holdfast/protocol'
import { CONTENT_PART, RESPONSE_PART } from './reply.ts'
import { unwrapped } from './storable.ts'

type Content<R extends 'user' | 'assistant' | 'tool'> = Extract<
  LanguageModelV4Message,
  { role: R }
>['content'][number]
type ResultPart = Extract<Content<'tool'>, { type: 'tool-result' }>
type FilePart = Extract<MessagePart, { type: 'file' | 'image' }>

/** Bytes of the session's attachments, by hash. */
export type Files = ReadonlyMap<string, Uint8Array>

/** What of a prompt depends on other messages: how the tools of earlier calls are called, and the bytes of files. */
export interface Known {
  /** By call id; `addMessage` adds those of its message. */
  names: Map<string, string>
  files: Files
}

/** A message with nothing left to say for the model is left out; results of one step are one message. */
export function addMessage(
  prompt: LanguageModelV4Prompt,
  { role, parts }: ProviderMessage,
  known: Known,
): void {
  for (const part of parts) if (part.type === 'tool_call') known.names.set(part.callId, part.name)
  if (role === 'system') {
    prompt.push({
      role,
      content: parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n'),
    })
    return
  }
  if (role === 'tool') {
    const results = parts.flatMap((part) => (part.type === 'tool_result' ? [resultPart(part, known)] : []))
    const last = prompt.at(-1)
    if (last?.role === 'tool') last.content.push(...results)
    else prompt.push({ role, content: results })
    return
  }
  if (role === 'user') {
    const content = parts.flatMap((part) => userPart(part, known))
    if (content.length > 0) prompt.push({ role, content })
    return
  }
  const content = parts.flatMap((part) => assistantPart(part, known))
  if (content.length > 0) prompt.push({ role: 'assistant', content })
}

function userPart(part: MessagePart, { files }: Known): Content<'user'>[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, ...options(part) }]
    case 'file':
    case 'image':
      return [filePart(part, files)]
    case 'data':
      return [{ type: 'text', text: `[${part.name}: ${JSON.stringify(part.data)}]` }]
    default:
      return []
  }
}

function assistantPart(part: MessagePart, { files }: Known): Content<'assistant'>[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, ...options(part) }]
    case 'reasoning':
      return [{ type: 'reasoning', text: part.text, ...reasoningOptions(part) }]
    case 'tool_call':
      return [
        {
          type: 'tool-call',
          toolCallId: part.callId,
          toolName: part.name,
          input: inputOf(part.input),
          ...options(part),
        },
      ]
    case 'file':
    case 'image':
      return [filePart(part, files)]
    case 'data':
      return dataPart(part)
    case 'tool_result':
      return []
  }
}

/** Providers take an object only; what a model gave in its place is shown to it as it was. */
function inputOf(input: Json): JsonObject {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? input
    : { invalid_input: input }
}

/** A file whose bytes are not here (any more) is told by name. */
function filePart(part: FilePart, files: Files): Extract<Content<'user'>, { type: 'file' | 'text' }> {
  const data = files.get(part.hash)
  if (!data) return { type: 'text', text: `[file ${part.name ?? part.hash}: not available]` }
  const name = part.name === undefined ? {} : { filename: part.name }
  return { type: 'file', data: { type: 'data', data }, mediaType: part.mediaType, ...name, ...options(part) }
}

function dataPart({ name, data }: Extract<MessagePart, { type: 'data' }>): Content<'assistant'>[] {
  if (name === RESPONSE_PART) return []
  if (name === CONTENT_PART) return ownContent(unwrapped(data as JsonObject))
  return [{ type: 'text', text: `[${name}: ${JSON.stringify(data)}]` }]
}

/** Content of the provider's own kind: calls that it ran itself, with their results, and what it made. Sources are not sent back. */
function ownContent(part: JsonObject): Content<'assistant'>[] {
  const providerOptions =
    part.providerMetadata === undefined ? {} : { providerOptions: part.providerMetadata as never }
  switch (part.type) {
    case 'tool-call':
      return [
        {
          type: 'tool-call',
          toolCallId: String(part.toolCallId),
          toolName: String(part.toolName),
          input: JSON.parse(String(part.input) || '{}'),
          providerExecuted: true,
          ...providerOptions,
        },
      ]
    case 'tool-result':
      return [
        {
          type: 'tool-result',
          toolCallId: String(part.toolCallId),
          toolName: String(part.toolName),
          output: { type: part.isError === true ? 'error-json' : 'json', value: part.result as never },
          ...providerOptions,
        },
      ]
    case 'custom':
      return [{ type: 'custom', kind: part.kind as never, ...providerOptions }]
    case 'file':
    case 'reasoning-file':
      return [
        { type: part.type, data: part.data as never, mediaType: String(part.mediaType), ...providerOptions },
      ]
    default:
      return []
  }
}

function resultPart(part: Extract<MessagePart, { type: 'tool_result' }>, { names }: Known): ResultPart {
  return {
    type: 'tool-result',
    toolCallId: part.callId,
    toolName: names.get(part.callId) ?? 'unnamed',
    output: outputOf(part),
    ...options(part),
  }
}

function outputOf({ output, outcome }: Extract<MessagePart, { type: 'tool_result' }>): ResultPart['output'] {
  const isText = typeof output === 'string'
  if (outcome === 'ok') return isText ? { type: 'text', value: output } : { type: 'json', value: output }
  return isText ? { type: 'error-text', value: output } : { type: 'error-json', value: output }
}

function options({ provider }: { provider?: JsonObject | undefined }): { providerOptions?: never } {
  return provider === undefined ? {} : { providerOptions: unwrapped(provider) as never }
}

/** Imported reasoning has the signature beside its text, as its transcript had. */
function reasoningOptions(part: Extract<MessagePart, { type: 'reasoning' }>): { providerOptions?: never } {
  if (part.provider !== undefined || part.signature === undefined) return options(part)
  return { providerOptions: { anthropic: { signature: part.signature } } as never }
}
