/** Heads as lists decoded them last: a list that is asked for again decodes what has changed since, and nothing else. */
import type { Head } from '../session/state.ts'
import { Generations } from '../store/generations.ts'
import { decodeHead } from './head-codec.ts'

export class DecodedHeads {
  /** About 3 MB when full. */
  readonly #heads = new Generations<{ body: string; head: Head }>(512)

  /** Equal texts give the same head, which nobody may change. */
  decode(sessionId: string, body: string): Head {
    const known = this.#heads.get(sessionId)
    if (known?.body === body) return known.head
    const head = decodeHead(body)
    this.#heads.set(sessionId, { body, head })
    return head
  }
}
