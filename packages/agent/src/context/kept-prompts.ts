/** Prompts of the sessions that this process worked on last: the next turn of one begins where the turn before ended. */
import type { UnseenSession } from '@holdfast/core'
import type { TenantId } from '@holdfast/protocol'
import type { CountTokens } from './count.ts'
import { KeptPrompt } from './kept-prompt.ts'

const mostKept = 64
/** Of texts and files of those that no turn holds; the newest one stays whatever its size. */
const mostBytes = 64 * 1024 * 1024

export class KeptPrompts {
  readonly #mostBytes: number
  /** The one that was used last is the last. */
  readonly #kept = new Map<string, KeptPrompt>()

  constructor(bytes = mostBytes) {
    this.#mostBytes = bytes
  }

  get size(): number {
    return this.#kept.size
  }

  /** Two tenants may have sessions of one id. */
  of(tenantId: TenantId, session: UnseenSession, count: CountTokens): KeptPrompt {
    const key = JSON.stringify([tenantId, session.id])
    const prompt = this.#kept.get(key) ?? new KeptPrompt(session, count)
    this.#kept.delete(key)
    this.#dropOldest(prompt.bytes)
    this.#kept.set(key, prompt)
    return prompt
  }

  /** Until there is room for one more. Prompts grew since they were kept, so their sizes are asked for again. */
  #dropOldest(bytes: number): void {
    let total = bytes
    for (const prompt of this.#kept.values()) total += prompt.bytes
    for (const [key, prompt] of this.#kept) {
      if (this.#kept.size < mostKept && total <= this.#mostBytes) return
      this.#kept.delete(key)
      total -= prompt.bytes
    }
  }
}
