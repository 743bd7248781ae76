/** Where a reader of a tree stands: in the log of its root, then in each of those below. Opaque to readers. */
import { decodeCursor, HoldfastError, isId } from '@holdfast/protocol'
import { checkServerLimit } from '../limits.ts'

export class TreeCursor {
  readonly rootId: string
  /** By session, the root first. */
  readonly #at: Map<string, string>

  /** Throws `invalid_cursor`. */
  constructor(rootId: string, text: string) {
    this.rootId = rootId
    const [root = '', ...rest] = text.split('~')
    this.#at = new Map([[rootId, checked(root)]])
    for (let n = 0; n < rest.length; n += 2) this.#add(rest[n] ?? '', rest[n + 1] ?? '')
  }

  /** Those that are added meanwhile are given too. */
  entries(): IterableIterator<[sessionId: string, cursor: string]> {
    return this.#at.entries()
  }

  has(sessionId: string): boolean {
    return this.#at.has(sessionId)
  }

  moveTo(sessionId: string, cursor: string): void {
    this.#at.set(sessionId, cursor)
  }

  /** Nothing more of it is to come. */
  drop(sessionId: string): void {
    this.#at.delete(sessionId)
  }

  /** Throws `limit_exceeded` when the tree has too many sessions to be followed as one. */
  text(): string {
    const [root, ...rest] = this.#at
    const text = [root?.[1], ...rest.flat()].join('~')
    checkServerLimit('treeCursorBytes', text.length, 'children')
    return text
  }

  #add(sessionId: string, cursor: string): void {
    if (!isId(sessionId) || this.has(sessionId))
      throw new HoldfastError('invalid_cursor', 'not a cursor of this tree; start without one.')
    this.#at.set(sessionId, checked(cursor))
  }
}

function checked(cursor: string): string {
  decodeCursor(cursor)
  return cursor
}
