/** Prompts of the sessions that this process worked on last: the next turn of one begins where the turn before ended. */
import type { UnseenSession } from '@holdfast/core'
import type { CountTokens } from './count.ts'
import { KeptPrompt } from './kept-prompt.ts'

const mostKept = 64

export class KeptPrompts {
  /** The one that was used last is the last. */
  readonly #bySession = new Map<string, KeptPrompt>()

  of(session: UnseenSession, count: CountTokens): KeptPrompt {
    const kept = this.#bySession.get(session.id) ?? new KeptPrompt(session, count)
    this.#bySession.delete(session.id)
    this.#bySession.set(session.id, kept)
    const [oldest] = this.#bySession.keys()
    if (this.#bySession.size > mostKept && oldest !== undefined) this.#bySession.delete(oldest)
    return kept
  }
}
