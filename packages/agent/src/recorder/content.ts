/** What a model of the AI SDK said, as parts of a message. What providers sign or encrypt is kept as it came. */
import type { LanguageModelV4Content, SharedV4ProviderMetadata } from '@ai-sdk/provider'
import {
  HoldfastError,
  type Json,
  type JsonObject,
  type MessageInput,
  type MessagePart,
  scanValue,
} from '@holdfast/protocol'
import { isMessageStart } from '../model/prompt-usage.ts'
import { type Attach, filePartOf } from './files.ts'
import type { RecordedResult } from './recorded-run.ts'

export interface Said {
  parts: MessagePart[]
  /** Of tools that the provider ran. */
  results: RecordedResult[]
}

export async function saidIn(content: readonly LanguageModelV4Content[], attach: Attach): Promise<Said> {
  const said: Said = { parts: [], results: [] }
  for (const one of content) {
    if (one.type === 'tool-result') {
      if (one.preliminary) continue
      const outcome = one.isError ? 'error' : 'ok'
      said.results.push({ callId: one.toolCallId, output: storable(one.result), outcome })
    } else said.parts.push(...(await partsOf(one, attach)))
  }
  const calls = said.parts.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []))
  return { ...said, results: said.results.filter(({ callId }) => calls.includes(callId)) }
}

type OwnContent = Exclude<LanguageModelV4Content, { type: 'tool-result' }>

async function partsOf(one: OwnContent, attach: Attach): Promise<MessagePart[]> {
  switch (one.type) {
    case 'text':
      return one.text === '' ? [] : [{ type: 'text', text: one.text.toWellFormed(), ...beside(one) }]
    case 'reasoning':
      return [
        { type: 'reasoning', text: one.text.toWellFormed(), ...sealOf(one.providerMetadata), ...beside(one) },
      ]
    case 'tool-call': {
      const { toolCallId: callId, toolName: name } = one
      return [{ type: 'tool_call', callId, name, input: inputOf(one.input), ...beside(one) }]
    }
    case 'file':
    case 'reasoning-file':
      return [await filePartOf(one, attach)]
    case 'custom':
      return isMessageStart(one) ? [] : [{ type: 'data', name: one.kind, data: storable(one) }]
    default:
      return [{ type: 'data', name: one.type, data: storable(one) }]
  }
}

function beside({ providerMetadata }: { providerMetadata?: SharedV4ProviderMetadata }) {
  return providerMetadata === undefined ? {} : { provider: storable(providerMetadata) as JsonObject }
}

/** Signatures and encrypted reasoning, by whatever provider's name they came. */
export function sealOf(metadata: SharedV4ProviderMetadata = {}): { signature?: string; encrypted?: string } {
  const all = Object.assign({}, ...Object.values(metadata)) as JsonObject
  const signature = all.signature ?? all.thoughtSignature
  const encrypted = all.reasoningEncryptedContent ?? all.redactedData
  return {
    ...(typeof signature === 'string' && { signature }),
    ...(typeof encrypted === 'string' && { encrypted }),
  }
}

/** Arguments that are no JSON, or none that can be kept exactly, stay the text that they are. */
function inputOf(text: string): Json {
  try {
    const value = JSON.parse(text) as Json
    scanValue(value, 'eventBytes', 'input')
    return value
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof HoldfastError) return text.toWellFormed()
    throw error
  }
}

/** As JSON: what has no form in it is left out, bytes are told by their number. */
export function storable(value: unknown): Json {
  const text = JSON.stringify(value, (_key, inner: unknown) => {
    if (inner instanceof Uint8Array) return `[${inner.byteLength} bytes]`
    return typeof inner === 'string' ? inner.toWellFormed() : inner
  })
  return text === undefined ? null : (JSON.parse(text) as Json)
}

const finishes: Readonly<Record<string, MessageInput['finish']>> = {
  length: 'length',
  'content-filter': 'filtered',
  error: 'error',
  interrupted: 'interrupted',
}

export function finishOf(reason: string): MessageInput['finish'] {
  return finishes[reason] ?? 'complete'
}
