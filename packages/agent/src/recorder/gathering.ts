/** The content of an answer, put together from the parts of its stream. */
import type { LanguageModelV4Content, LanguageModelV4StreamPart } from '@ai-sdk/provider'

type Block = Extract<LanguageModelV4Content, { type: 'text' | 'reasoning' }>

export class Gathering {
  readonly content: LanguageModelV4Content[] = []
  readonly #blocks = new Map<string, Block>()

  add(part: LanguageModelV4StreamPart): void {
    switch (part.type) {
      case 'text-start':
      case 'reasoning-start':
        this.#begin(part.id, part.type === 'text-start' ? 'text' : 'reasoning')
        this.#note(part)
        break
      case 'text-delta':
      case 'reasoning-delta':
        this.#block(part).text += part.delta
        this.#note(part)
        break
      case 'text-end':
      case 'reasoning-end':
        this.#note(part)
        break
      case 'tool-call':
      case 'tool-result':
      case 'file':
      case 'reasoning-file':
      case 'source':
      case 'custom':
      case 'tool-approval-request':
        this.content.push(part)
    }
  }

  #begin(id: string, type: Block['type']): Block {
    const block: Block = { type, text: '' }
    this.#blocks.set(`${type} ${id}`, block)
    this.content.push(block)
    return block
  }

  #block({ id, type }: { id: string; type: string }): Block {
    const kind = type.startsWith('text') ? 'text' : 'reasoning'
    return this.#blocks.get(`${kind} ${id}`) ?? this.#begin(id, kind)
  }

  /** A signature comes with a later part of its block. */
  #note(part: Extract<LanguageModelV4StreamPart, { id: string; providerMetadata?: unknown }>): void {
    if (part.providerMetadata === undefined) return
    const block = this.#block(part)
    block.providerMetadata = merged(block.providerMetadata, part.providerMetadata)
  }
}

type Metadata = NonNullable<Block['providerMetadata']>

function merged(before: Metadata = {}, more: Metadata): Metadata {
  const names = [...new Set([...Object.keys(before), ...Object.keys(more)])]
  return Object.fromEntries(names.map((name) => [name, { ...before[name], ...more[name] }]))
}
