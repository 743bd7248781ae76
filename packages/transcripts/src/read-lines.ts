/** Reads a JSONL file line by line: memory holds one chunk and one line, whatever the size of the file or of a line. */
import { isUtf8 } from 'node:buffer'
import { HoldfastError, type Json, type JsonObject, limits, scanText, scanValue } from '@holdfast/protocol'

/**
 * A line with its place: `start` is its first byte, `end` the byte after its line break. Of blank lines on end only the last
 * one is given.
 */
export interface Line {
  number: number
  /** Number of the first of the blank lines that it is the last of. */
  first?: number
  start: number
  end: number
  /** Of a line beyond the limit only the beginning. */
  bytes: Buffer
  /** Undefined: the line is broken or blank. */
  value: JsonObject | undefined
  /** Why it is broken. */
  broken?: string
  /** What had to be changed to read it. */
  repaired?: string
  /** The text of a broken line. */
  text?: string
}

/** How many lines it stands for, of those behind `after`. */
export function countOf({ number, first = number }: Pick<Line, 'number' | 'first'>, after = 0): number {
  return number - Math.max(first - 1, after)
}

export interface From {
  byte: number
  /** Number of the line before the first one read. */
  line: number
}

export interface ReadOptions {
  from: From
  /** The text of a line, which ends at `end`, as it is to be read. */
  clean(text: string, end: number): string
}

const lineBreak = 0x0a
const shownOfLong = 64 * 1024

/**
 * The lines that end in each of the chunks. Each is read when it is taken, so all of a chunk must be taken before the
 * next. A last line without a line break that cannot be read yet is still being written: it is left for the next import.
 */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
  { from, clean }: ReadOptions,
): AsyncGenerator<Iterable<Line>> {
  const rest = new Rest()
  const place = { ...from }
  const read = ({ bytes, length, ended }: Piece): Line => {
    const start = place.byte
    const end = start + length + (ended ? 1 : 0)
    const content =
      length > bytes.length ? tooLong(bytes, length) : readLine(bytes, clean(textOf(bytes), end))
    place.byte = end
    place.line += 1
    return { number: place.line, start, end, bytes, ...content }
  }
  const pass = ({ lines, last, bytes }: Blank): Line => {
    const [start, first] = [place.byte + last, place.line + 1]
    place.byte = start + bytes.length + 1
    place.line += lines
    return { number: place.line, first, start, end: place.byte, bytes, value: undefined }
  }
  for await (const chunk of chunks) yield linesOf(chunk, rest, { read, pass })
  if (rest.length === 0) return
  const last = read(rest.endedBy(Buffer.alloc(0), false))
  if (last.value !== undefined) yield [last]
}

interface Reading {
  read(piece: Piece): Line
  pass(blank: Blank): Line
}

function* linesOf(chunk: Buffer, rest: Rest, { read, pass }: Reading): Generator<Line> {
  for (let from = 0; from < chunk.length; ) {
    const blank = rest.length === 0 ? blankAt(chunk, from) : undefined
    const at = blank ? from + blank.last + blank.bytes.length : chunk.indexOf(lineBreak, from)
    if (at < 0) return rest.add(chunk.subarray(from))
    yield blank ? pass(blank) : read(rest.endedBy(chunk.subarray(from, at), true))
    from = at + 1
  }
}

interface Blank {
  lines: number
  /** Where the last of them begins, from where the first does. */
  last: number
  /** Of the last. */
  bytes: Buffer
}

const tab = 0x09
const carriageReturn = 0x0d
const space = 0x20

/** The blank lines that begin there; undefined: none. */
function blankAt(chunk: Buffer, from: number): Blank | undefined {
  let [lines, last, next] = [0, from, from]
  for (let at = from; isSpace(chunk[at]); at++) {
    if (chunk[at] !== lineBreak) continue
    lines += 1
    last = next
    next = at + 1
  }
  return lines === 0 ? undefined : { lines, last: last - from, bytes: chunk.subarray(last, next - 1) }
}

/** As JSON has it. */
export function isSpace(byte: number | undefined): boolean {
  return byte === lineBreak || byte === carriageReturn || byte === space || byte === tab
}

interface Piece {
  bytes: Buffer
  /** More than there are bytes when the line is over the limit. */
  length: number
  ended: boolean
}

/** The beginning of a line whose end was not read yet. */
class Rest {
  #parts: Buffer[] = []
  length = 0

  add(part: Buffer): void {
    this.length += part.length
    if (this.length <= limits.lineBytes) this.#parts.push(part)
    else this.#parts = [Buffer.from(Buffer.concat([...this.#parts, part]).subarray(0, shownOfLong))]
  }

  endedBy(part: Buffer, ended: boolean): Piece {
    if (this.length > 0) this.add(part)
    const length = this.length > 0 ? this.length : part.length
    const parts = this.length > 0 ? this.#parts : [part]
    this.#parts = []
    this.length = 0
    const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
    return { bytes: length > limits.lineBytes ? whole.subarray(0, shownOfLong) : whole, length, ended }
  }
}

type Content = Pick<Line, 'value' | 'broken' | 'repaired' | 'text'>

function tooLong(bytes: Buffer, length: number): Content {
  const broken = `${length} bytes is more than lineBytes allows (${limits.lineBytes})`
  return { value: undefined, broken, text: bytes.toString('utf8') }
}

function readLine(bytes: Buffer, text: string): Content {
  if (text.trim() === '') return { value: undefined }
  const { value, broken, repaired } = readText(text)
  const isExact = isUtf8(bytes)
  if (value === undefined) return { value, ...(broken && { broken }), text }
  if (!isObject(value)) return { value: undefined, broken: 'not a JSON object', text }
  if (repaired === undefined && isExact) return { value }
  return { value, repaired: repaired ?? 'line: not UTF-8.' }
}

/** Any JSON value, repaired where that can be done. */
export function readText(text: string): { value: Json | undefined; broken?: string; repaired?: string } {
  try {
    return { value: scanText(text, 'lineBytes', 'line') }
  } catch (error) {
    return error instanceof HoldfastError ? repairText(text, error.message) : raise(error)
  }
}

/** Without a byte order mark. */
export function textOf(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text
}

/** Some of what no store can hold has an obvious nearest form: a lone surrogate is U+FFFD, a huge integer its digits. */
function repairText(text: string, reason: string) {
  try {
    const value = JSON.parse(text, storable) as Json
    scanValue(value, 'lineBytes', 'line')
    return { value, repaired: reason }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof HoldfastError || error instanceof RangeError)
      return { value: undefined, broken: reason }
    throw error
  }
}

function storable(_key: string, value: Json): Json | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' && !Number.isSafeInteger(value) && Number.isInteger(value))
    return String(value)
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        key === '__proto__' ? [] : [[key.toWellFormed(), item]],
      ),
    )
  }
  return value
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function raise(error: unknown): never {
  throw error
}
