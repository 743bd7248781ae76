/** What OpenAI's Responses keeps of the answers that it gave: whole conversations by response id, and items by their id. */
import type { JsonObject } from '@holdfast/protocol'
import { textOf } from '../../json-shapes.ts'

export class StoredResponses {
  readonly #conversations = new Map<string, readonly JsonObject[]>()
  readonly #items = new Map<string, JsonObject>()
  /** Item → the reasoning that it goes with. */
  readonly #reasons = new Map<string, string>()
  /** What was encrypted here can be read here, stored or not. */
  readonly #encrypted = new Set<string>()

  /** Input with output; what is not stored is still known as given out. */
  keep(
    responseId: string,
    input: readonly JsonObject[],
    output: readonly JsonObject[],
    store: boolean,
  ): void {
    for (const [i, item] of output.entries()) {
      if (item.type === 'reasoning') this.#encrypted.add(textOf(item.encrypted_content))
      const before = output[i - 1]
      if (before?.type === 'reasoning') this.#reasons.set(textOf(item.id), textOf(before.id))
      if (store) this.#items.set(textOf(item.id), item)
    }
    if (store) this.#conversations.set(responseId, [...input, ...output])
  }

  conversation(responseId: string): readonly JsonObject[] | undefined {
    return this.#conversations.get(responseId)
  }

  item(itemId: string): JsonObject | undefined {
    return this.#items.get(itemId)
  }

  reasonOf(itemId: string): string | undefined {
    return this.#reasons.get(itemId)
  }

  gaveOut(encrypted: string): boolean {
    return this.#encrypted.has(encrypted)
  }

  forget(): void {
    this.#conversations.clear()
    this.#items.clear()
    this.#reasons.clear()
  }
}
