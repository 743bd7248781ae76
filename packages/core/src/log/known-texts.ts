/**
 * JSON text of values that were scanned at the edge, so that what was written out there is not written out again when
 * the event is encoded. It goes with the value, for as long as the value lives.
 */
import type { Json } from '@holdfast/protocol'

const written = Symbol('written')

type Written = object & { [written]?: string }

export class KnownTexts {
  readonly #others = new WeakMap<object, string>()

  /** Of a list that is ours: the text is kept on it, which is several times faster than a weak map. */
  rememberOwn(value: readonly unknown[] & Written, text: string): void {
    value[written] = text
  }

  /** Of any value that nobody else can change; what is no object has no text to know. */
  remember(value: Json, text: string): void {
    if (typeof value === 'object' && value !== null) this.#others.set(value, text)
  }

  of(value: Written): string | undefined {
    return value[written] ?? this.#others.get(value)
  }
}
