/**
 * What a model streams, gathered into the parts of one message: in the order in which they began, with what the provider
 * sent beside them kept as it came.
 */
import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider'
import { externalIdPattern, type Json, type JsonObject, type MessagePart } from '@holdfast/protocol'
import { isMessageStart, type PromptUsage, promptUsageOf } from './prompt-usage.ts'
import { parseStorable, wrapped } from './storable.ts'

type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>
type ToolCall = Extract<LanguageModelV4StreamPart, { type: 'tool-call' }>

/** Text that was added, for the draft. */
export interface Delta {
  kind: 'text' | 'reasoning'
  text: string
}

/** A call that the model wants run here. */
export interface WantedCall {
  callId: string
  name: string
  /** Undefined when what the model gave is no JSON. */
  input: Json | undefined
}

/** Name of the data part that holds what the provider said about the whole response. */
export const RESPONSE_PART = 'provider_response'
/** Name of a data part that holds content of the provider's own kind, to be sent back as it came. */
export const CONTENT_PART = 'provider_content'

export class Reply {
  readonly #parts: MessagePart[] = []
  readonly #open = new Map<string, MessagePart & { type: 'text' | 'reasoning' }>()
  readonly calls: WantedCall[] = []
  #response: JsonObject = {}
  #finish: Finish | undefined
  #promptUsage: PromptUsage | undefined

  /** Takes the next part; gives the text that it adds. */
  add(part: LanguageModelV4StreamPart): Delta | undefined {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.#begin(part.type === 'text-start' ? 'text' : 'reasoning', part.id, part.providerMetadata)
        return undefined
      case 'text-delta':
      case 'reasoning-delta':
        return this.#extend(part)
      case 'text-end':
      case 'reasoning-end':
        this.#describe(part.id, part.providerMetadata)
        return undefined
      case 'tool-call':
        if (part.providerExecuted) this.#content(part)
        else this.#call(part)
        return undefined
      case 'tool-result':
        if (!part.preliminary) this.#content(part)
        return undefined
      case 'custom':
        if (isMessageStart(part)) this.#promptUsage = promptUsageOf(part)
        else this.#content(part)
        return undefined
      case 'source':
      case 'file':
      case 'reasoning-file':
        this.#content(part)
        return undefined
      case 'response-metadata':
        this.#responded(part.id, part.modelId)
        return undefined
      case 'finish':
        this.#finish = part
        return undefined
      default:
        return undefined
    }
  }

  get finish(): Finish['finishReason'] | undefined {
    return this.#finish?.finishReason
  }

  get usage(): LanguageModelV4Usage | undefined {
    return this.#finish?.usage
  }

  /** What the provider counted before it answered. */
  get promptUsage(): PromptUsage | undefined {
    return this.#promptUsage
  }

  get responseId(): string | undefined {
    return typeof this.#response.id === 'string' ? this.#response.id : undefined
  }

  /** Nothing came yet that a provider would ask money for. */
  get isEmpty(): boolean {
    return this.#parts.length === 0 && this.#finish === undefined && this.#promptUsage === undefined
  }

  /** What it says to the user. */
  get answer(): string {
    return this.#parts.map((part) => (part.type === 'text' ? part.text : '')).join('')
  }

  /** Everything that was said, for one who counts. */
  get text(): string {
    return this.#parts.map((part) => ('text' in part ? part.text : JSON.stringify(part))).join('\n')
  }

  /** The parts of the message; text blocks without text and without anything beside it are left out. */
  parts(): MessagePart[] {
    const said = this.#parts.filter((part) => {
      return (
        (part.type !== 'text' && part.type !== 'reasoning') || part.text !== '' || part.provider !== undefined
      )
    })
    const metadata = this.#finish?.providerMetadata
    const response = metadata ? { ...this.#response, metadata: wrapped(metadata) } : this.#response
    for (const part of said) if ('text' in part) part.text = part.text.toWellFormed()
    if (Object.keys(response).length === 0) return said
    return [{ type: 'data', name: RESPONSE_PART, data: response }, ...said]
  }

  #begin(type: 'text' | 'reasoning', id: string, metadata: unknown): void {
    const part = { type, text: '', ...provided(metadata) }
    this.#open.set(`${type} ${id}`, part)
    this.#parts.push(part)
  }

  #extend({
    type,
    id,
    delta,
    providerMetadata,
  }: {
    type: string
    id: string
    delta: string
    providerMetadata?: unknown
  }): Delta {
    const kind = type === 'text-delta' ? 'text' : 'reasoning'
    if (!this.#open.has(`${kind} ${id}`)) this.#begin(kind, id, undefined)
    const part = this.#open.get(`${kind} ${id}`)
    if (part) {
      part.text += delta
      Object.assign(part, provided(providerMetadata))
    }
    return { kind, text: delta }
  }

  /** What comes last holds: a signature comes at a block's end. */
  #describe(id: string, metadata: unknown): void {
    for (const kind of ['text', 'reasoning']) {
      const part = this.#open.get(`${kind} ${id}`)
      if (part) Object.assign(part, provided(metadata))
    }
  }

  #call(call: ToolCall): void {
    const callId = this.#newId(call.toolCallId)
    const input = parsed(call.input)
    this.calls.push({ callId, name: call.toolName, input })
    this.#parts.push({
      type: 'tool_call',
      callId,
      name: nameOf(call.toolName),
      input: input ?? call.input.toWellFormed(),
      ...provided(call.providerMetadata),
    })
  }

  /** A message holds each call id once; some models repeat one, or give one that is none. */
  #newId(given: string): string {
    const known = new Set(this.calls.map(({ callId }) => callId))
    const base = externalIdPattern.test(given) && given.trim() !== '' ? given.slice(0, 240) : 'call'
    let callId = base
    for (let nth = 2; known.has(callId); nth++) callId = `${base}_${nth}`
    return callId
  }

  #content(content: LanguageModelV4StreamPart): void {
    this.#parts.push({ type: 'data', name: CONTENT_PART, data: wrapped(JSON.parse(JSON.stringify(content))) })
  }

  #responded(id: string | undefined, modelId: string | undefined): void {
    this.#response = {
      ...this.#response,
      ...(id !== undefined && { id }),
      ...(modelId !== undefined && { model: modelId }),
    }
  }
}

function provided(metadata: unknown): { provider?: JsonObject } {
  return metadata === undefined ? {} : { provider: wrapped(metadata) }
}

function nameOf(name: string): string {
  return externalIdPattern.test(name) && name.trim() !== '' ? name : 'unnamed'
}

/** A model that gives nothing means an object without fields. */
function parsed(input: string): Json | undefined {
  return input.trim() === '' ? {} : parseStorable(input)
}
