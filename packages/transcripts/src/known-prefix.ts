/** A source that is read from its beginning each time: a count and a hash of its values tell how much of it was imported. */
import { createHash, type Hash } from 'node:crypto'
import type { Json, JsonObject } from '@holdfast/protocol'
import type { ImportedSession } from './imported-session.ts'
import { beforeOpenTurn } from './open-turn.ts'

export class KnownPrefix {
  readonly #session: ImportedSession
  /** The field of a position that counts. */
  readonly #field: string
  readonly #hash: Hash = createHash('sha256')
  #count = 0
  /** Where a value stands that is read again. */
  #readAgain: JsonObject | undefined
  #isChanged = false

  constructor(session: ImportedSession, field: string) {
    this.#session = session
    this.#field = field
  }

  /** What is read now was imported before, and is read again. */
  get isSeen(): boolean {
    return this.#readAgain !== undefined
  }

  /** The source does not begin as it was imported: to be asked when all was read, for nothing of it is given then. */
  get isChanged(): boolean {
    return this.#isChanged
  }

  position(): JsonObject {
    return this.#readAgain ?? { [this.#field]: this.#count, sha256: this.#hash.copy().digest('hex') }
  }

  /**
   * What is new; before it what was imported of a turn that was open, unless that has ended: somebody says (`isPrompt`)
   * something new first.
   */
  async *fresh<T extends Json>(
    values: Iterable<T> | AsyncIterable<T>,
    isPrompt: (value: T) => boolean,
  ): AsyncGenerator<T> {
    const before = this.#session.position
    const seen = this.#countIn(before)
    const kept = await beforeOpenTurn(this.#session)
    let open: { value: T; position: JsonObject }[] = []
    for await (const value of values) {
      this.#count += 1
      this.#hash.update(`${JSON.stringify(value)}\n`)
      if (this.#count <= seen) {
        if (kept && this.#count > this.#countIn(kept.data)) open.push({ value, position: this.position() })
        this.#isChanged = this.#count === seen && this.position().sha256 !== before?.sha256
        if (this.#isChanged) return
        continue
      }
      if (kept && open.length > 0 && !isPrompt(value)) {
        this.#session.cutAfter(kept.seq)
        yield* this.#again(open)
      }
      open = []
      yield value
    }
    this.#isChanged = this.#count < seen
  }

  *#again<T>(open: readonly { value: T; position: JsonObject }[]): Generator<T> {
    for (const { value, position } of open) {
      this.#readAgain = position
      yield value
    }
    this.#readAgain = undefined
  }

  #countIn(position: JsonObject | undefined): number {
    return Number(position?.[this.#field] ?? 0)
  }
}
