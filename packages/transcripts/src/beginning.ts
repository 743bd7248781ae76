/** How a conversation begins, through the first words of a user: it tells two apart that are in files of one name. */
import { createHash, type Hash } from 'node:crypto'
import type { Json } from '@holdfast/protocol'

/** A conversation without a user's words so far has no beginning: what is added later must not change it. */
const mostLooked = 50

export class Beginning {
  readonly #hash: Hash = createHash('sha256')
  #looked = 0
  #found: string | undefined

  static of(messages: Iterable<Json>): Beginning {
    const beginning = new Beginning()
    for (const message of messages) if (!beginning.take(message)) break
    return beginning
  }

  /** False: nothing more is needed. */
  take(message: Json): boolean {
    if (this.#found !== undefined || this.#looked === mostLooked) return false
    this.#looked += 1
    this.#hash.update(`${JSON.stringify(message)}\n`)
    if (isOfUser(message)) this.#found = this.#hash.digest('hex')
    return this.#found === undefined
  }

  /** Its hash; undefined when there is none. */
  get sha256(): string | undefined {
    return this.#found
  }
}

/** The beginning, and all the values again. `messagesIn`: what a value has of the conversation. */
export async function beginningOf<T>(
  values: AsyncIterator<T>,
  messagesIn: (value: T) => Iterable<Json>,
): Promise<{ begin: string | undefined; all: AsyncGenerator<T> }> {
  const beginning = new Beginning()
  const looked: T[] = []
  let isEnough = false
  while (!isEnough && looked.length < mostLooked) {
    const next = await values.next()
    if (next.done) break
    looked.push(next.value)
    for (const message of messagesIn(next.value)) isEnough ||= !beginning.take(message)
  }
  return { begin: beginning.sha256, all: again(looked, values) }
}

async function* again<T>(looked: readonly T[], rest: AsyncIterator<T>): AsyncGenerator<T> {
  yield* looked
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

function isOfUser(message: Json): boolean {
  return message !== null && typeof message === 'object' && !Array.isArray(message) && message.role === 'user'
}
