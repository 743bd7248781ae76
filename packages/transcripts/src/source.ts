/** A file that is being read: as long as it was when it was opened, its lines remembered while they are few. */
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Json } from '@holdfast/protocol'
import { type Item, layoutOf, readItems, readWhole } from './read-items.ts'
import { type From, type Line, readLines, readText, textOf } from './read-lines.ts'
import type { SecretFinder } from './secrets.ts'

export interface SourceOptions {
  secrets: SecretFinder
  /** Bytes of lines that may be kept for a second reading. */
  remember?: number
  /** Told of bytes that were read for the first time. */
  onRead?(bytes: number): void
}

/** A value with its number among the lines or items of the file. */
export interface Value {
  number: number
  /** Undefined: it could not be read. */
  value: Json | undefined
  broken?: string
}

export class Source {
  readonly path: string
  readonly name: string
  readonly size: number
  readonly #options: SourceOptions
  #remembered: Line[] | undefined
  #readOnce = 0

  private constructor(path: string, size: number, options: SourceOptions) {
    this.path = path
    this.name = basename(path)
    this.size = size
    this.#options = options
  }

  static async open(path: string, options: SourceOptions): Promise<Source> {
    const file = await open(path)
    try {
      const { size } = await file.stat()
      return new Source(path, size, options)
    } finally {
      await file.close()
    }
  }

  /** Another file that belongs to this one. */
  beside(path: string): Promise<Source> {
    return Source.open(path, this.#options)
  }

  /** What was appended since the file was opened is left for the next import. */
  async *lines(from: From = { byte: 0, line: 0 }): AsyncGenerator<Line> {
    if (this.#remembered) return yield* this.#remembered.slice(from.line)
    const isFirst = from.byte === 0 && this.#readOnce === 0
    const kept = isFirst && this.size <= (this.#options.remember ?? 0) ? ([] as Line[]) : undefined
    const clean = (text: string, end: number) => this.#options.secrets.clean(text, end > this.#readOnce)
    for await (const line of readLines(this.path, { from, size: this.size, clean })) {
      this.#tellRead(line.end)
      kept?.push(line)
      yield line
    }
    this.#remembered = kept
    this.#tellRead(this.size)
  }

  /** The items of a JSON array, the values of a JSONL file, or the one object that the file is. */
  async *values(): AsyncGenerator<Value> {
    const layout = await layoutOf(this.path)
    if (layout === 'lines') yield* this.#lineValues()
    else if (layout === 'array') yield* this.#items(readItems(this.path, this.size))
    else yield* this.#items(readWhole(this.path, this.size))
  }

  async *#lineValues(): AsyncGenerator<Value> {
    for await (const { number, value, broken } of this.lines()) {
      if (value !== undefined || broken !== undefined) yield { number, value, ...(broken && { broken }) }
    }
  }

  async *#items(items: AsyncIterable<Item>): AsyncGenerator<Value> {
    let number = 0
    for await (const { bytes, end } of items) {
      number += 1
      const text = this.#options.secrets.clean(textOf(bytes))
      this.#tellRead(end)
      yield { number, ...readText(text) }
    }
    this.#tellRead(this.size)
  }

  #tellRead(through: number): void {
    if (through <= this.#readOnce) return
    this.#options.onRead?.(through - this.#readOnce)
    this.#readOnce = through
  }
}
