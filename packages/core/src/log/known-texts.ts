/**
 * JSON text of values that were scanned at the edge, so that what was written out there is not written out again when
 * the event is encoded. It goes with the value, for as long as the value lives.
 */
const written = Symbol('written')

type Written = object & { [written]?: string }

export class KnownTexts {
  readonly #foreign = new WeakMap<object, string>()

  /** Of a value that a schema made: the text is kept on it, which is several times faster than a weak map. */
  rememberOwn(value: Written, text: string): void {
    value[written] = text
  }

  /** Of a value that belongs to the caller. */
  remember(value: object, text: string): void {
    this.#foreign.set(value, text)
  }

  of(value: Written): string | undefined {
    return value[written] ?? this.#foreign.get(value)
  }
}
