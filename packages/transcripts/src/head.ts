/** The beginning of a file, as far as it takes to tell its format: the shapes of its first JSON values. */
import { isSpace } from './read-lines.ts'
import { type Shape, shapeOf } from './shape.ts'

export interface Head {
  readonly path: string
  readonly encoding: 'utf-8' | 'UTF-16' | 'binary'
  readonly isEmpty: boolean
  /** White space at most, as far as it was looked at. */
  readonly isBlank: boolean
  /** The first characters that are no white space. */
  readonly begin: string
  /** One array, one value to a line, or one object over several lines. */
  readonly layout: 'array' | 'lines' | 'object'
  /** Of each of the first lines that begins a JSON object or array: its fields, and its texts that are short. */
  readonly records: Records
}

/** Decoded and looked at one by one, each when it is asked for: the first tells most formats. */
export class Records {
  readonly #texts: readonly Buffer[]
  readonly #shapes: Shape[] = []

  constructor(texts: readonly Buffer[]) {
    this.#texts = texts
  }

  get isEmpty(): boolean {
    return this.#texts.length === 0
  }

  get first(): Shape | undefined {
    return this.#at(0)
  }

  some(is: (shape: Shape) => boolean): boolean {
    return this.#texts.some((_, at) => is(this.#at(at) as Shape))
  }

  /** Of the first record that has the field. */
  text(field: string): string | undefined {
    let found: string | undefined
    this.some((shape) => {
      found = shape.get(field)
      return found !== undefined
    })
    return found
  }

  #at(at: number): Shape | undefined {
    const text = this.#texts[at]
    if (text !== undefined) this.#shapes[at] ??= shapeOf(text.toString('utf8'))
    return this.#shapes[at]
  }
}

/** As much as is looked at. */
export const headBytes = 128 * 1024
const mostRecords = 50

const lineBreak = 0x0a
const openArray = 0x5b
const openObject = 0x7b
const closeObject = 0x7d

export function headOf(path: string, bytes: Buffer): Head {
  const encoding = encodingOf(bytes)
  const text = encoding === 'utf-8' ? trimStart(bytes) : bytes.subarray(0, 0)
  const layout = layoutOf(text)
  const records = new Records(layout === 'lines' ? recordsIn(text) : [text])
  const isBlank = encoding === 'utf-8' && text.length === 0
  const begin = text.toString('latin1', 0, 8)
  return { path, encoding, isEmpty: bytes.length === 0, isBlank, begin, layout, records }
}

function encodingOf(bytes: Buffer): Head['encoding'] {
  const [first, second] = bytes
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'UTF-16'
  const nul = bytes.indexOf(0)
  const lineBreak = bytes.indexOf(0x0a)
  // A hole behind a whole line is what a power loss leaves: that line is broken, not the file.
  if (nul < 0 || (lineBreak > 2 && lineBreak < nul)) return 'utf-8'
  return nul < 2 && bytes.length > 3 && bytes[nul + 2] === 0 && bytes[nul + 1] !== 0 ? 'UTF-16' : 'binary'
}

/** Of text that begins with no white space. */
function layoutOf(text: Buffer): Head['layout'] {
  if (text[0] === openArray) return 'array'
  const end = text.indexOf(lineBreak)
  return text[0] === openObject && end >= 0 && lastNonSpace(text.subarray(0, end)) !== closeObject
    ? 'object'
    : 'lines'
}

function recordsIn(text: Buffer): Buffer[] {
  const records: Buffer[] = []
  let from = 0
  for (let lines = 0; lines < mostRecords && from < text.length; lines += 1) {
    const end = text.indexOf(lineBreak, from)
    const line = trimStart(text.subarray(from, end < 0 ? text.length : end))
    if (line[0] === openObject || line[0] === openArray) records.push(line)
    if (end < 0) break
    from = end + 1
  }
  return records
}

/** Without a byte order mark and the white space that it begins with. */
function trimStart(text: Buffer): Buffer {
  let from = text[0] === 0xef && text[1] === 0xbb && text[2] === 0xbf ? 3 : 0
  while (isSpace(text[from])) from += 1
  return text.subarray(from)
}

function lastNonSpace(text: Buffer): number | undefined {
  let at = text.length - 1
  while (isSpace(text[at])) at -= 1
  return text[at]
}
