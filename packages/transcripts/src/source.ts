/**
 * A file that is being read: as long as it was when it was opened, its lines remembered while they are few. Where it is
 * compressed, places are those of what it holds; how long that is nobody knows before it was read.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import { HoldfastError, type Json } from '@holdfast/protocol'
import { type Head, headBytes, headOf } from './head.ts'
import { readChunks } from './read-chunks.ts'
import { type Item, readItems, readWhole } from './read-items.ts'
import { type From, type Line, readLines, readText, textOf } from './read-lines.ts'
import type { SecretFinder } from './secrets.ts'
import { decompressedChunks, isZstd } from './zstd.ts'

export interface SourceOptions {
  /** Looks through every text; absent: nobody asks what is in it. */
  secrets?: SecretFinder
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
  /** The same for a file and for what it is when it was compressed. */
  readonly plainName: string
  /** Of the file. */
  readonly size: number
  readonly #file: FileHandle
  readonly #isCompressed: boolean
  readonly #options: SourceOptions
  #head: Promise<Head> | undefined
  #beginning: Buffer | undefined
  #remembered: Line[] | undefined
  /** How far what it holds was read. */
  #readOnce = 0
  /** Bytes of the file that were told of. */
  #told = 0

  private constructor(
    path: string,
    { file, size, isCompressed }: { file: FileHandle; size: number; isCompressed: boolean },
    options: SourceOptions,
  ) {
    this.path = path
    this.name = basename(path)
    this.plainName = basename(path, '.zst')
    this.size = size
    this.#isCompressed = isCompressed
    this.#file = file
    this.#options = options
  }

  /** Stays open until `close()`. */
  static async open(path: string, options: SourceOptions = {}): Promise<Source> {
    const file = await open(path)
    try {
      const stats = await file.stat()
      if (stats.isDirectory())
        throw new HoldfastError('invalid_input', `${path} is a folder; name a file in it.`)
      const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
      const isCompressed = isZstd(buffer.subarray(0, bytesRead))
      return new Source(path, { file, size: stats.size, isCompressed }, options)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Another file that belongs to this one. */
  beside(path: string): Promise<Source> {
    return Source.open(path, this.#options)
  }

  /** Lets go of what was remembered too. */
  async close(): Promise<void> {
    this.#beginning = undefined
    this.#remembered = undefined
    await this.#file.close()
  }

  /** Read once. */
  head(): Promise<Head> {
    this.#head ??= this.#readHead()
    return this.#head
  }

  async #readHead(): Promise<Head> {
    const chunks: Buffer[] = []
    for await (const chunk of this.#read(0, headBytes)) chunks.push(chunk)
    this.#beginning = Buffer.concat(chunks)
    return headOf(this.path, this.#beginning)
  }

  /** The bytes from `start` up to `end`; those that were looked at to tell the format are not read again. */
  async *chunks(start: number, end: number): AsyncGenerator<Buffer> {
    const known = this.#beginning?.subarray(start, end)
    if (known && known.length > 0) yield known
    yield* this.#read(start + (known?.length ?? 0), end)
  }

  #read(start: number, end: number): AsyncGenerator<Buffer> {
    if (this.#isCompressed) return decompressedChunks(this.path, start, end)
    return readChunks(this.#file, start, Math.min(end, this.size))
  }

  /** What was appended since the file was opened is left for the next import. */
  async *lines(from?: From): AsyncGenerator<Line> {
    for await (const lines of this.stretches(from)) yield* lines
  }

  /** As `lines`, many at once; all of a stretch must be taken before the next. */
  async *stretches(from: From = { byte: 0, line: 0 }): AsyncGenerator<Iterable<Line>> {
    if (this.#remembered) return yield this.#remembered.filter(({ number }) => number > from.line)
    const isFirst = from.byte === 0 && this.#readOnce === 0
    const isSmall = !this.#isCompressed && this.size <= (this.#options.remember ?? 0)
    const kept = isFirst && isSmall ? ([] as Line[]) : undefined
    const clean = (text: string, end: number) => this.#clean(text, end > this.#readOnce)
    for await (const lines of readLines(this.chunks(from.byte, Number.POSITIVE_INFINITY), { from, clean }))
      yield this.#takeEach(lines, kept)
    this.#remembered = kept
    this.#tellAll()
  }

  *#takeEach(lines: Iterable<Line>, kept: Line[] | undefined): Generator<Line> {
    for (const line of lines) {
      this.#tellRead(line.end)
      kept?.push(line)
      yield line
    }
  }

  /** The items of a JSON array, the values of a JSONL file, or the one object that the file is. */
  async *values(): AsyncGenerator<Value> {
    const { layout } = await this.head()
    const read = layout === 'array' ? readItems : readWhole
    if (layout === 'lines') yield* this.#lineValues()
    else yield* this.#items(read(this.path, this.chunks(0, Number.POSITIVE_INFINITY)))
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
      const text = this.#clean(textOf(bytes), true)
      this.#tellRead(end)
      yield { number, ...readText(text) }
    }
    this.#tellAll()
  }

  #clean(text: string, isCounted: boolean): string {
    return this.#options.secrets?.clean(text, isCounted) ?? text
  }

  #tellRead(through: number): void {
    if (through <= this.#readOnce) return
    if (!this.#isCompressed) this.#tell(through)
    this.#readOnce = through
  }

  #tellAll(): void {
    this.#tell(this.size)
    this.#readOnce = Math.max(this.#readOnce, this.size)
  }

  #tell(through: number): void {
    if (through <= this.#told) return
    this.#options.onRead?.(through - this.#told)
    this.#told = through
  }
}
